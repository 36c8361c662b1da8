import { BADF, NOTSUP, isStandard } from "./wasi";

/**
 * Calls that need what a function is not given: files, sockets, signals. They fail with a number, as WASI wants, instead
 * of missing: most programs import more than they use. The linker drops those that the guest does not import.
 */
const NOTSOCK: i32 = 57;
const SPIPE: i32 = 70;

/** What a call about a standard stream answers; any other descriptor is not open. */
function onStream(fd: i32, error: i32): i32 {
  return isStandard(fd) ? error : BADF;
}

export function wasi_snapshot_preview1$fd_advise(fd: i32, offset: i64, length: i64, advice: i32): i32 {
  return onStream(fd, SPIPE);
}
export function wasi_snapshot_preview1$fd_allocate(fd: i32, offset: i64, length: i64): i32 {
  return onStream(fd, NOTSUP);
}
export function wasi_snapshot_preview1$fd_datasync(fd: i32): i32 {
  return onStream(fd, NOTSUP);
}
export function wasi_snapshot_preview1$fd_fdstat_set_rights(fd: i32, base: i64, inheriting: i64): i32 {
  return onStream(fd, NOTSUP);
}
export function wasi_snapshot_preview1$fd_filestat_set_size(fd: i32, size: i64): i32 {
  return onStream(fd, NOTSUP);
}
export function wasi_snapshot_preview1$fd_filestat_set_times(fd: i32, accessed: i64, modified: i64, flags: i32): i32 {
  return onStream(fd, NOTSUP);
}
export function wasi_snapshot_preview1$fd_pread(fd: i32, vectors: i32, count: i32, offset: i64, out: i32): i32 {
  return onStream(fd, SPIPE);
}
export function wasi_snapshot_preview1$fd_prestat_get(fd: i32, out: i32): i32 {
  return BADF;
}
export function wasi_snapshot_preview1$fd_prestat_dir_name(fd: i32, out: i32, length: i32): i32 {
  return BADF;
}
export function wasi_snapshot_preview1$fd_pwrite(fd: i32, vectors: i32, count: i32, offset: i64, out: i32): i32 {
  return onStream(fd, SPIPE);
}
export function wasi_snapshot_preview1$fd_readdir(fd: i32, out: i32, length: i32, cookie: i64, used: i32): i32 {
  return BADF;
}
export function wasi_snapshot_preview1$fd_renumber(fd: i32, to: i32): i32 {
  return onStream(fd, NOTSUP);
}
export function wasi_snapshot_preview1$fd_seek(fd: i32, offset: i64, whence: i32, out: i32): i32 {
  return onStream(fd, SPIPE);
}
export function wasi_snapshot_preview1$fd_sync(fd: i32): i32 {
  return onStream(fd, NOTSUP);
}
export function wasi_snapshot_preview1$fd_tell(fd: i32, out: i32): i32 {
  return onStream(fd, SPIPE);
}
export function wasi_snapshot_preview1$sock_accept(fd: i32, flags: i32, out: i32): i32 {
  return onStream(fd, NOTSOCK);
}
export function wasi_snapshot_preview1$sock_recv(fd: i32, vectors: i32, count: i32, flags: i32, length: i32, outFlags: i32): i32 {
  return onStream(fd, NOTSOCK);
}
export function wasi_snapshot_preview1$sock_send(fd: i32, vectors: i32, count: i32, flags: i32, length: i32): i32 {
  return onStream(fd, NOTSOCK);
}
export function wasi_snapshot_preview1$sock_shutdown(fd: i32, how: i32): i32 {
  return onStream(fd, NOTSOCK);
}

// There is no directory, so no path is below one.
export function wasi_snapshot_preview1$path_create_directory(a: i32, b: i32, c: i32): i32 {
  return BADF;
}
export function wasi_snapshot_preview1$path_filestat_get(a: i32, b: i32, c: i32, d: i32, e: i32): i32 {
  return BADF;
}
export function wasi_snapshot_preview1$path_filestat_set_times(a: i32, b: i32, c: i32, d: i32, e: i64, f: i64, g: i32): i32 {
  return BADF;
}
export function wasi_snapshot_preview1$path_link(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, g: i32): i32 {
  return BADF;
}
export function wasi_snapshot_preview1$path_open(a: i32, b: i32, c: i32, d: i32, e: i32, f: i64, g: i64, h: i32, i: i32): i32 {
  return BADF;
}
export function wasi_snapshot_preview1$path_readlink(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32): i32 {
  return BADF;
}
export function wasi_snapshot_preview1$path_remove_directory(a: i32, b: i32, c: i32): i32 {
  return BADF;
}
export function wasi_snapshot_preview1$path_rename(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32): i32 {
  return BADF;
}
export function wasi_snapshot_preview1$path_symlink(a: i32, b: i32, c: i32, d: i32, e: i32): i32 {
  return BADF;
}
export function wasi_snapshot_preview1$path_unlink_file(a: i32, b: i32, c: i32): i32 {
  return BADF;
}
export function wasi_snapshot_preview1$proc_raise(signal: i32): i32 {
  return NOTSUP;
}
