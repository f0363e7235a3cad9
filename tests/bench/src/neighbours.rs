//! What a quiet tenant feels of a noisy one: it asks a service of its own every 5 ms, while another node of the same engine
//! does one attack after the other. A table, and a plot beside the JSON.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use lunarium_engine::{
    Chunk, Definition, Engine, EntryId, HostDefinition, HostId, Level, Limits, LogField, Node, NodeConfig, Output,
    ProcessLabel, SpawnRequest,
};
use plotters::prelude::*;

use crate::bench::{Bench, HOST, fail};
use crate::report::Report;

/// How often the quiet tenant asks.
const EVERY: Duration = Duration::from_millis(5);

/// How long each attack lasts.
const ATTACK: Duration = Duration::from_secs(4);

/// What the quiet tenant runs; its service is another process.
const QUIET: &str = r"
local service = process.spawn('noise:service', 'bench:processes', process.pid())
local answers = process.listen('answer')
return { main = function()
    while true do
        time.sleep('5ms')
        process.send(service, 'ask', 1)
        answers:receive()
        print('answered')
    end
end }";
const SERVICE: &str = r"
return { main = function(client)
    local asked = process.listen('ask')
    while true do process.send(client, 'answer', (asked:receive())) end
end }";

/// What a tenant does, how many of it. Children are `noise:stays`, `noise:busy` and the attack itself, `noise:attack`.
const ATTACKS: &[(&str, u32, &str)] = &[
    ("nobody", 0, ""),
    ("200 busy loops", 200, "while true do end"),
    ("200 that wake all the time", 200, "while true do for _ = 1, 20000 do end time.sleep('1ms') end"),
    ("timers of 1 µs", 8, "while true do time.sleep('1us') end"),
    (
        "2,000 spawns at once, again and again",
        1,
        r"
        while true do
            local ps = {}
            for i = 1, 2000 do ps[i] = process.spawn('noise:stays', 'bench:processes') end
            time.sleep('300ms')
            for i = 1, #ps do process.terminate(ps[i]) end
        end",
    ),
    ("fork bomb", 1, "while true do process.spawn('noise:attack', 'bench:processes') end"),
    (
        "a mesh of linked processes dies",
        1,
        r"
        while true do
            local ps = {}
            for i = 1, 300 do ps[i] = process.spawn('noise:meshed', 'bench:processes') end
            for i = 1, #ps do process.send(ps[i], 'all', ps) end
            time.sleep('500ms')
            process.terminate(ps[1])
            time.sleep('500ms')
        end",
    ),
    (
        "children of 15 MB",
        4,
        r"
        while true do process.spawn('noise:hoards', 'bench:processes') time.sleep('1ms') end",
    ),
    (
        "messages that nobody listens for",
        8,
        r"
        local victim = process.spawn('noise:stays', 'bench:processes')
        while true do process.send(victim, 'nobody listens', ('x'):rep(1000)) end",
    ),
    (
        "messages of a megabyte",
        4,
        r"
        local ch, big = process.listen('big'), ('x'):rep(1000000)
        while true do process.send(process.pid(), 'big', big) ch:receive() end",
    ),
    (
        "messages that decode to more than there is",
        4,
        r"
        local ch, deep = process.listen('deep'), {}
        for i = 1, 100000 do deep[i] = {} end
        while true do process.send(process.pid(), 'deep', deep) pcall(ch.receive, ch) end",
    ),
    (
        "integer keys that are multiples of 65,535",
        4,
        r"
        while true do
            local t = {}
            for i = 1, 40000 do t[i * 65535] = i end
        end",
    ),
    ("upgrades for ever", 8, "process.upgrade()"),
    ("log floods", 100, "while true do logger:info(('x'):rep(1000)) end"),
    ("pattern bombs", 8, "while true do pcall(string.find, ('a'):rep(40), ('a*'):rep(20) .. 'b') end"),
];

const STAYS: &str = "return { main = function() process.inbox():receive() end }";
const HOARDS: &str =
    "return { main = function() local s = ('x'):rep(15000000) process.inbox():receive() return #s end }";
const MESHED: &str = r"
return { main = function()
    local all = process.listen('all'):receive()
    for _, pid in ipairs(all) do if pid ~= process.pid() then process.link(pid) end end
    process.inbox():receive()
end }";

/// When the quiet tenant was answered; the noisy one's lines go nowhere.
#[derive(Default)]
struct Answers(Mutex<Vec<Instant>>);

impl Output for Answers {
    fn print(&self, _: &ProcessLabel, _: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        true
    }

    fn on_ready(&self, waker: Waker) {
        waker.wake();
    }

    fn log(&self, _: &ProcessLabel, _: Level, _: &str, _: &[LogField]) {}
}

impl Answers {
    fn take(&self) -> Vec<Instant> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How much later than it should have been an answer was, in milliseconds.
struct Delays {
    name: &'static str,
    median: f64,
    p99: f64,
    worst: f64,
}

pub(crate) fn run(bench: &Bench, report: &mut Report) {
    let delays: Vec<Delays> =
        ATTACKS.iter().map(|(name, count, body)| suffer(bench.node.engine(), name, *count, body)).collect();
    for Delays { name, median, p99, worst } in &delays {
        report.delays(&format!("neighbour of: {name}"), *median, *p99, *worst);
    }
    let path = Path::new("target/neighbours.svg");
    if let Err(error) = plot(path, &delays) {
        fail(&format!("cannot write {}: {error}", path.display()));
    }
}

fn suffer(engine: &Engine, name: &'static str, count: u32, body: &str) -> Delays {
    let answers = Arc::new(Answers::default());
    let quiet = tenant(engine, &answers);
    define(&quiet, "quiet", QUIET);
    define(&quiet, "service", SERVICE);
    let noisy = tenant(engine, &Arc::new(Answers::default()));
    for (entry, source) in [("stays", STAYS), ("hoards", HOARDS), ("meshed", MESHED)] {
        define(&noisy, entry, source);
    }
    define(&noisy, "attack", &format!("return {{ main = function() {body} end }}"));
    spawn(&quiet, "quiet");
    thread::sleep(Duration::from_millis(300));
    for _ in 0..count {
        spawn(&noisy, "attack");
    }
    answers.take();
    thread::sleep(ATTACK);
    let mut times = answers.take();
    // One that never came again counts, too.
    times.push(Instant::now());
    let gaps = times.windows(2).filter_map(|pair| Some(pair.last()?.duration_since(*pair.first()?)));
    let mut late: Vec<f64> = gaps.map(|gap| gap.saturating_sub(EVERY).as_secs_f64() * 1e3).collect();
    late.sort_by(f64::total_cmp);
    futures_lite::future::block_on(async {
        noisy.shutdown(Duration::ZERO).await;
        quiet.shutdown(Duration::ZERO).await;
    });
    let at = |part: usize| late.get(late.len().saturating_sub(1) * part / 100).copied().unwrap_or(f64::INFINITY);
    Delays { name, median: at(50), p99: at(99), worst: at(100) }
}

fn tenant(engine: &Engine, output: &Arc<Answers>) -> Node {
    let config = NodeConfig::new(Arc::<Answers>::clone(output)).with_memory(1 << 30, 0);
    let node = Node::start_on(engine, config).unwrap_or_else(|error| fail(&format!("no node: {error}")));
    let limits = Limits { cpu: Duration::from_secs(600), ..Limits::default() };
    let host = HostDefinition::new(HostId::new(HOST)).with_max_processes(2_500).with_limits(limits);
    node.add_host(host).unwrap_or_else(|error| fail(&format!("no host: {error}")));
    node
}

fn define(node: &Node, name: &str, source: &str) {
    let chunk = Chunk::new(format!("@{name}.lua"), source);
    node.define(Definition::new(EntryId::new(format!("noise:{name}")), chunk));
}

fn spawn(node: &Node, name: &str) {
    let request = SpawnRequest::new(EntryId::new(format!("noise:{name}")), HostId::new(HOST));
    // A fork bomb may have taken every place already.
    let _ = node.spawn(request);
}

/// A line for each attack, from the median to the worst answer, with the 99th percentile between; the scale is logarithmic.
fn plot(path: &Path, delays: &[Delays]) -> Result<(), Box<dyn std::error::Error>> {
    const SCALE: std::ops::Range<f64> = 0.1..1_000.0;
    const MARKS: [(&str, RGBColor); 3] = [("median", GREEN), ("99 of 100 within", BLUE), ("worst", RED)];
    let height = u32::try_from(delays.len())?.saturating_mul(28).saturating_add(90);
    let area = SVGBackend::new(path, (900, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let rows = i32::try_from(delays.len())?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(300)
        .build_cartesian_2d(SCALE.log_scale(), (0..rows).into_segmented())?;
    // The first attack on top.
    let name =
        |row: i32| usize::try_from(rows - 1 - row).ok().and_then(|place| delays.get(place)).map_or("", |row| row.name);
    chart
        .configure_mesh()
        .disable_y_mesh()
        .x_desc("milliseconds later than 5 ms, of a tenant beside one that does this")
        .x_label_formatter(&|x| format!("{x}"))
        .y_labels(delays.len())
        .y_label_formatter(&|row| match row {
            SegmentValue::CenterOf(row) | SegmentValue::Exact(row) => name(*row).to_owned(),
            SegmentValue::Last => String::new(),
        })
        .draw()?;
    let rows: Vec<(i32, [f64; 3])> = (0..rows)
        .rev()
        .zip(delays)
        .map(|(row, delay)| (row, [delay.median, delay.p99, delay.worst].map(|x| x.clamp(SCALE.start, SCALE.end))))
        .collect();
    chart.draw_series(rows.iter().map(|(row, [from, _, to])| {
        let at = SegmentValue::CenterOf(*row);
        PathElement::new(vec![(*from, at.clone()), (*to, at)], BLACK.mix(0.3))
    }))?;
    for (place, (label, color)) in MARKS.into_iter().enumerate() {
        let marks = rows.iter().filter_map(|(row, points)| Some((*points.get(place)?, SegmentValue::CenterOf(*row))));
        chart
            .draw_series(marks.map(|point| Circle::new(point, 4, color.filled())))?
            .label(label)
            .legend(move |(x, y)| Circle::new((x, y), 4, color.filled()));
    }
    chart.configure_series_labels().border_style(BLACK.mix(0.3)).background_style(WHITE).draw()?;
    area.present()?;
    Ok(())
}
