;; An adapter without a network: it runs the requests that lie in the settings and writes what came of each to standard output.
;; Settings: u32 number of calls, then for each call u32 argument of `alloc`, two of `handle`, and whether the request ends with it.
;; Output for each call: u32 status, u64 result.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "guest" "initialize" (func $initialize (result i32)))
  (import "guest" "alloc" (func $alloc (param i32) (result i32)))
  (import "guest" "handle" (func $handle (param i32 i32) (result i64)))
  (import "guest" "settings" (func $settings (result i32)))
  (import "guest" "arm" (func $arm (param i64)))
  (import "guest" "restore" (func $restore (result i32)))
  (import "guest" "status" (func $status (result i32)))
  (import "guest" "stop" (func $stop (param i32)))
  (memory (export "memory") 1)
  (global $looks (mut i64) (i64.const 0))
  ;; Every look at the clock is a millisecond later.
  (func (export "clock") (result i64)
    (global.set $looks (i64.add (global.get $looks) (i64.const 1)))
    (global.get $looks))
  (func (export "mayfly$log") (param i32 i32 i32))
  (func (export "mayfly$now") (result f64) (f64.const 0))
  (func (export "env$abort") (param i32 i32 i32 i32) (call $stop (i32.const 1)))
  (func $say (param $status i32) (param $result i64)
    (i32.store (i32.const 64) (local.get $status))
    (i64.store (i32.const 68) (local.get $result))
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 12))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $begin (call $arm (i64.add (global.get $looks) (i64.const 100))))
  (func (export "_start") (local $at i32) (local $left i32) (local $result i64)
    (local.set $at (call $settings))
    (local.set $left (i32.load (local.get $at)))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))
    (call $begin)
    (call $say (call $initialize) (i64.const 0))
    (call $begin)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $left)))
        (if (i32.eqz (call $status)) (then
          (drop (call $alloc (i32.load (local.get $at))))
          (local.set $result (call $handle (i32.load offset=4 (local.get $at)) (i32.load offset=8 (local.get $at))))))
        (call $say (call $status) (local.get $result))
        (if (i32.load offset=12 (local.get $at)) (then
          (drop (call $restore))
          (call $begin)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $next)))))
