/**
 * The imports a function may have (docs/reference/guest-abi.md), with their signatures: parameters, then results.
 * Letters: i = i32, I = i64, F = f64.
 */

const mayfly = { log: 'iii:', config: 'iiii:i', now: ':F', random: 'ii:' };
const env = { abort: 'iiii:', seed: ':F' };

/** WASI preview 1 (the witx files of wasi_snapshot_preview1): all of it, so that modules link; what is not offered answers ENOSYS. */
const wasi = {
  args_get: 'ii:i',
  args_sizes_get: 'ii:i',
  environ_get: 'ii:i',
  environ_sizes_get: 'ii:i',
  clock_res_get: 'ii:i',
  clock_time_get: 'iIi:i',
  fd_advise: 'iIIi:i',
  fd_allocate: 'iII:i',
  fd_close: 'i:i',
  fd_datasync: 'i:i',
  fd_fdstat_get: 'ii:i',
  fd_fdstat_set_flags: 'ii:i',
  fd_fdstat_set_rights: 'iII:i',
  fd_filestat_get: 'ii:i',
  fd_filestat_set_size: 'iI:i',
  fd_filestat_set_times: 'iIIi:i',
  fd_pread: 'iiiIi:i',
  fd_prestat_get: 'ii:i',
  fd_prestat_dir_name: 'iii:i',
  fd_pwrite: 'iiiIi:i',
  fd_read: 'iiii:i',
  fd_readdir: 'iiiIi:i',
  fd_renumber: 'ii:i',
  fd_seek: 'iIii:i',
  fd_sync: 'i:i',
  fd_tell: 'ii:i',
  fd_write: 'iiii:i',
  path_create_directory: 'iii:i',
  path_filestat_get: 'iiiii:i',
  path_filestat_set_times: 'iiiiIIi:i',
  path_link: 'iiiiiii:i',
  path_open: 'iiiiiIIii:i',
  path_readlink: 'iiiiii:i',
  path_remove_directory: 'iii:i',
  path_rename: 'iiiiii:i',
  path_symlink: 'iiiii:i',
  path_unlink_file: 'iii:i',
  poll_oneoff: 'iiii:i',
  proc_exit: 'i:',
  proc_raise: 'i:i',
  random_get: 'ii:i',
  sched_yield: ':i',
  sock_accept: 'iii:i',
  sock_recv: 'iiiiii:i',
  sock_send: 'iiiii:i',
  sock_shutdown: 'ii:i',
};

const modules: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  mayfly,
  env,
  wasi_snapshot_preview1: wasi,
};

const letters: Readonly<Record<string, string>> = { i: 'i32', I: 'i64', F: 'f64' };

/** The signature `(i32) -> i32` that an allowed import must have, or null when it is not allowed at all. */
export function allowedSignature(module: string, name: string): string | null {
  const functions = Object.hasOwn(modules, module) ? modules[module] : undefined;
  const code = functions !== undefined && Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (code === undefined) return null;
  const [parameters, results] = code
    .split(':')
    .map((list) => [...list].map((letter) => letters[letter]).join(', '));
  return `(${parameters}) -> ${results === '' ? '()' : results}`;
}

export const allowedModules: readonly string[] = Object.keys(modules);
