;; probe: allocates memory until there is none, then traps. directory.walks: the same with its table.
;; directory.fetch: allocates until there is none and returns in good order.
(module
  (memory (export "memory") 1)
  (table $table 1 funcref)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "rollcall:plugin/plugin@0.1.0#probe") (result i32)
    (loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    (unreachable))
  (func (export "rollcall:plugin/directory@0.1.0#walks") (result i32)
    (loop $again (br_if $again (i32.ne (table.grow $table (ref.null func) (i32.const 1000)) (i32.const -1))))
    (unreachable))
  (func (export "rollcall:plugin/directory@0.1.0#enumerate") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (unreachable))
  (func (export "rollcall:plugin/directory@0.1.0#fetch") (param i32 i32 i32) (result i32)
    (loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    (i32.store8 (i32.const 1028) (i32.const 2))
    (i32.const 1024)))
