;; Counts its calls as long as its instance lives. directory.enumerate: an empty page within the department `zzzz`,
;; rate-limited(0) within any other. probe: one finding whose `check` is the number of calls so far.
(module
  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 0))
  (data (i32.const 4096) "0123456789")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
  (func $count
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (memory.fill (i32.const 1024) (i32.const 0) (i32.const 64)))
  (func (export "rollcall:plugin/plugin@0.1.0#probe") (result i32)
    (call $count)
    (i32.store (i32.const 1028) (i32.const 3072)) (i32.store (i32.const 1032) (i32.const 1))
    (i32.store (i32.const 3072) (i32.add (i32.const 4096) (global.get $calls))) (i32.store (i32.const 3076) (i32.const 1))
    (i32.const 1024))
  (func (export "rollcall:plugin/directory@0.1.0#walks") (result i32)
    (i32.const 2048))
  (func (export "rollcall:plugin/directory@0.1.0#enumerate") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $count)
    (i32.store8 (i32.const 1024) (i32.ne (i32.load (i32.const 8192)) (i32.const 0x7a7a7a7a)))
    (i32.store8 (i32.const 1032) (i32.const 2))
    (i32.const 1024))
  (func (export "rollcall:plugin/directory@0.1.0#fetch") (param i32 i32 i32) (result i32)
    (unreachable)))
