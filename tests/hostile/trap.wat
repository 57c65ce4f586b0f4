;; probe: traps. directory.walks: recurses without end. directory.enumerate: an empty page.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func $deep (param i64) (result i64)
    (i64.add (i64.const 1) (call $deep (i64.add (local.get 0) (i64.const 1)))))
  (func (export "rollcall:plugin/plugin@0.1.0#probe") (result i32) (unreachable))
  (func (export "rollcall:plugin/directory@0.1.0#walks") (result i32)
    (i32.wrap_i64 (call $deep (i64.const 0))))
  (func (export "rollcall:plugin/directory@0.1.0#enumerate") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store8 (i32.const 1032) (i32.const 2))
    (i32.const 1024))
  (func (export "rollcall:plugin/directory@0.1.0#fetch") (param i32 i32 i32) (result i32) (unreachable)))
