;; Never gets as far as its first call: it loops while it is instantiated.
(module
  (memory (export "memory") 1)
  (func $start (loop $again (br $again)))
  (start $start)
  (func (export "rollcall:plugin/plugin@0.1.0#probe") (result i32) (i32.const 1024)))
