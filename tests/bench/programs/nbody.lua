local function body(x, y, z, vx, vy, vz, m) return { x = x, y = y, z = z, vx = vx, vy = vy, vz = vz, m = m } end
return { main = function()
  local bodies = {
    body(0, 0, 0, 0, 0, 0, 39.47), body(4.84, -1.16, -0.10, 0.60, 2.81, -0.02, 0.037),
    body(8.34, 4.12, -0.40, -1.01, 1.82, 0.008, 0.011), body(12.89, -15.11, -0.22, 1.08, 0.86, -0.01, 0.0017),
    body(15.37, -25.91, 0.17, 0.97, 0.59, -0.03, 0.002),
  }
  local dt = 0.01
  for _ = 1, 30000 do
    for i = 1, #bodies do
      local a = bodies[i]
      for j = i + 1, #bodies do
        local b = bodies[j]
        local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
        local d2 = dx * dx + dy * dy + dz * dz
        local mag = dt / (d2 * math.sqrt(d2))
        a.vx, a.vy, a.vz = a.vx - dx * b.m * mag, a.vy - dy * b.m * mag, a.vz - dz * b.m * mag
        b.vx, b.vy, b.vz = b.vx + dx * a.m * mag, b.vy + dy * a.m * mag, b.vz + dz * a.m * mag
      end
    end
    for i = 1, #bodies do
      local b = bodies[i]
      b.x, b.y, b.z = b.x + dt * b.vx, b.y + dt * b.vy, b.z + dt * b.vz
    end
  end
  return bodies[1].x
end }
