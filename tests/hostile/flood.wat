;; probe: logs 10,000 lines of 1,000 bytes, the first with a line break and a colour code in it.
(module
  (import "rollcall:plugin/host@0.1.0" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 4096) "first\nforged \1b[31mline")
  (func (export "rollcall:plugin/plugin@0.1.0#probe") (result i32)
    (local $n i32)
    (memory.fill (i32.const 4119) (i32.const 120) (i32.const 977))
    (loop $again
      (call $log (i32.const 2) (i32.const 4096) (i32.const 1000))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 10000))))
    (i32.const 1024)))
