-- block: identity
local frame_id = process.id()  -- Identificador da cadeia de chamadas
local pid = process.pid()       -- ID do processo
-- block: send
local ok, err = process.send(destination, topic, ...)
-- block: spawn
-- Spawn básico
local pid, err = process.spawn(id, host, ...)

-- Com monitoramento (receber eventos EXIT)
local pid, err = process.spawn_monitored(id, host, ...)

-- Com link (receber LINK_DOWN em saída anormal)
local pid, err = process.spawn_linked(id, host, ...)

-- Ambos linked e monitored
local pid, err = process.spawn_linked_monitored(id, host, ...)
-- block: control
-- Terminar forçadamente um processo
local ok, err = process.terminate(destination)

-- Solicitar cancelamento gracioso com deadline opcional
local ok, err = process.cancel(destination, "5s")
-- block: watch
-- Monitoramento: receber eventos EXIT quando o alvo sair
local ok, err = process.monitor(destination)
local ok, err = process.unmonitor(destination)

-- Link: bidirecional, receber LINK_DOWN em saída anormal
local ok, err = process.link(destination)
local ok, err = process.unlink(destination)
-- block: options
local options = process.get_options()
local ok, err = process.set_options({trap_links = true})
-- block: channels
local inbox = process.inbox()    -- Objetos Message do tópico @inbox
local events = process.events()  -- Eventos de ciclo de vida do tópico @events
-- block: listen
local ch = process.listen(topic, options)
process.unlisten(ch)
-- block: message
local msg = inbox:receive()

msg:topic()    -- string: nome do tópico
msg:from()     -- string|nil: PID do remetente
msg:payload()  -- any: dados do payload
-- block: exec
local result, err = process.exec(id, host, ...)
-- block: upgrade
-- Upgrade para nova versão, passando estado
process.upgrade(id, ...)

-- Manter mesma definição, re-executar com novo estado
process.upgrade(nil, preserved_state)
-- block: with_context
local spawner = process.with_context({request_id = "123"})
-- block: builder
spawner:with_context(values)      -- Adicionar valores de contexto
spawner:with_actor(actor)         -- Definir ator de segurança
spawner:with_scope(scope)         -- Definir escopo de segurança
spawner:with_name(name)           -- Definir nome do processo
spawner:with_message(topic, ...)  -- Enfileirar mensagem para enviar após spawn
-- block: builder_spawn
spawner:spawn(id, host, ...)
spawner:spawn_monitored(id, host, ...)
spawner:spawn_linked(id, host, ...)
spawner:spawn_linked_monitored(id, host, ...)
-- block: registry
local ok, err = process.registry.register(name, pid)  -- pid padrão é self
local pid, err = process.registry.lookup(name)
local ok = process.registry.unregister(name)
