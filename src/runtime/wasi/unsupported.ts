import { BADF, NOTSOCK, NOTSUP, SPIPE } from './errno.ts';
import { isStandard } from './streams.ts';

/** Calls about a descriptor: what they answer for the three standard streams. Any other descriptor is not open. */
const ON_STREAMS: Readonly<Record<string, number>> = {
  fd_advise: SPIPE,
  fd_allocate: NOTSUP,
  fd_datasync: NOTSUP,
  fd_fdstat_set_rights: NOTSUP,
  fd_filestat_set_size: NOTSUP,
  fd_filestat_set_times: NOTSUP,
  fd_pread: SPIPE,
  fd_prestat_get: BADF,
  fd_prestat_dir_name: BADF,
  fd_pwrite: SPIPE,
  fd_readdir: BADF,
  fd_renumber: NOTSUP,
  fd_seek: SPIPE,
  fd_sync: NOTSUP,
  fd_tell: SPIPE,
  sock_accept: NOTSOCK,
  sock_recv: NOTSOCK,
  sock_send: NOTSOCK,
  sock_shutdown: NOTSOCK,
};

/** There is no directory, so no path is below one. */
const PATHS = [
  'path_create_directory',
  'path_filestat_get',
  'path_filestat_set_times',
  'path_link',
  'path_open',
  'path_readlink',
  'path_remove_directory',
  'path_rename',
  'path_symlink',
  'path_unlink_file',
];

/**
 * Calls that need what a function is not given: files, sockets, signals. They fail with a number, as the specification
 * wants, instead of missing: most programs import more than they use.
 */
export const UNSUPPORTED: Readonly<Record<string, (fd: number) => number>> = {
  ...Object.fromEntries(
    Object.entries(ON_STREAMS).map(([name, errno]) => [
      name,
      (fd: number) => (isStandard(fd) ? errno : BADF),
    ]),
  ),
  ...Object.fromEntries(PATHS.map((name) => [name, () => BADF])),
  proc_raise: () => NOTSUP,
};
