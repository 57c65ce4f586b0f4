;; Sends one request to the url in its settings and says what came of it.
;;
;; probe: GET, or POST of the setting `body` with the content type in `type`. One finding: `check` is the body of the
;; response and `passed` is true, or `check` is the number of the `denied` case and `remedy` its text.
;; directory.enumerate: GET; a page sliced at the settings `items` and `id`.
(module
  (import "rollcall:plugin/http@0.1.0" "send" (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "rollcall:plugin/http@0.1.0" "[method]response.body" (func $body (param i32 i32)))
  (import "rollcall:plugin/http@0.1.0" "[resource-drop]response" (func $drop (param i32)))
  (import "rollcall:plugin/host@0.1.0" "setting" (func $setting (param i32 i32 i32)))
  (memory (export "memory") 4)
  (global $heap (mut i32) (i32.const 8192))
  ;; Names at fixed places.
  (data (i32.const 16) "url") (data (i32.const 32) "body") (data (i32.const 48) "type")
  (data (i32.const 64) "items") (data (i32.const 80) "id") (data (i32.const 96) "GET") (data (i32.const 112) "POST")
  (data (i32.const 128) "content-type") (data (i32.const 160) "0123456789")
  ;; Results of `setting`: option<string> at 256 (url), 272 (body), 288 (type), 304 (items), 320 (id).
  ;; 512: result of `send`; 544: result of `body`; 600: a header; 640: an id list; 1024: what an export returns.

  (func (export "cabi_realloc") (param $old i32) (param i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32) (local $end i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (local.set $end (i32.add (local.get $at) (local.get $size)))
    (global.set $heap (local.get $end))
    (block $fits
      (loop $grow
        (br_if $fits (i32.le_u (local.get $end) (i32.mul (memory.size) (i32.const 65536))))
        (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then (unreachable)))
        (br $grow)))
    (local.get $at))

  (func $fetch
    (global.set $heap (i32.const 8192))
    (memory.fill (i32.const 256) (i32.const 0) (i32.const 2048))
    (call $setting (i32.const 16) (i32.const 3) (i32.const 256))
    (call $setting (i32.const 32) (i32.const 4) (i32.const 272))
    (call $setting (i32.const 48) (i32.const 4) (i32.const 288))
    ;; One header, content-type, when there is one.
    (i32.store (i32.const 600) (i32.const 128)) (i32.store (i32.const 604) (i32.const 12))
    (i32.store (i32.const 608) (i32.load (i32.const 292))) (i32.store (i32.const 612) (i32.load (i32.const 296)))
    (call $send
      (if (result i32) (i32.load8_u (i32.const 272)) (then (i32.const 112)) (else (i32.const 96)))
      (if (result i32) (i32.load8_u (i32.const 272)) (then (i32.const 4)) (else (i32.const 3)))
      (i32.load (i32.const 260)) (i32.load (i32.const 264))
      (i32.const 600) (i32.load8_u (i32.const 288))
      (i32.load (i32.const 276)) (i32.load (i32.const 280))
      (i32.const 512)))

  (func (export "rollcall:plugin/plugin@0.1.0#probe") (result i32)
    (call $fetch)
    ;; ok([finding at 2048])
    (i32.store (i32.const 1028) (i32.const 2048)) (i32.store (i32.const 1032) (i32.const 1))
    (if (i32.load8_u (i32.const 512))
      (then
        (i32.store (i32.const 2048) (i32.add (i32.const 160) (i32.load8_u (i32.const 520))))
        (i32.store (i32.const 2052) (i32.const 1))
        ;; A text for every case but `deadline` and `too-large`.
        (if (i32.and (i32.ne (i32.load8_u (i32.const 520)) (i32.const 1)) (i32.ne (i32.load8_u (i32.const 520)) (i32.const 2)))
          (then
            (i32.store8 (i32.const 2060) (i32.const 1))
            (i32.store (i32.const 2064) (i32.load (i32.const 528)))
            (i32.store (i32.const 2068) (i32.load (i32.const 532))))))
      (else
        (call $body (i32.load (i32.const 520)) (i32.const 544))
        (call $drop (i32.load (i32.const 520)))
        (i32.store (i32.const 2048) (i32.load (i32.const 544))) (i32.store (i32.const 2052) (i32.load (i32.const 548)))
        (i32.store8 (i32.const 2056) (i32.const 1))))
    (i32.const 1024))

  (func (export "rollcall:plugin/directory@0.1.0#walks") (result i32)
    ;; [whole(department)]
    (memory.fill (i32.const 1024) (i32.const 0) (i32.const 16))
    (i32.store (i32.const 1024) (i32.const 1040)) (i32.store (i32.const 1028) (i32.const 1))
    (i32.store (i32.const 1040) (i32.const 0))
    (i32.const 1024))

  (func (export "rollcall:plugin/directory@0.1.0#enumerate")
    (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $fetch)
    (call $setting (i32.const 64) (i32.const 5) (i32.const 304))
    (call $setting (i32.const 80) (i32.const 2) (i32.const 320))
    (if (i32.load8_u (i32.const 512))
      ;; unavailable(advice): the number of the `denied` case is its code.
      (then
        (i32.store8 (i32.const 1024) (i32.const 1))
        (i32.store8 (i32.const 1032) (i32.const 6))
        (i32.store (i32.const 1036) (i32.add (i32.const 160) (i32.load8_u (i32.const 520))))
        (i32.store (i32.const 1040) (i32.const 1)))
      (else
        ;; sliced: response, items, [id]
        (i32.store (i32.const 1036) (i32.load (i32.const 520)))
        (i32.store (i32.const 1040) (i32.load (i32.const 308))) (i32.store (i32.const 1044) (i32.load (i32.const 312)))
        (i32.store (i32.const 1048) (i32.const 640)) (i32.store (i32.const 1052) (i32.const 1))
        (i32.store (i32.const 640) (i32.load (i32.const 324))) (i32.store (i32.const 644) (i32.load (i32.const 328)))))
    (i32.const 1024))

  (func (export "rollcall:plugin/directory@0.1.0#fetch") (param i32 i32 i32) (result i32)
    ;; ok(empty)
    (memory.fill (i32.const 1024) (i32.const 0) (i32.const 32))
    (i32.store8 (i32.const 1028) (i32.const 2))
    (i32.const 1024)))
