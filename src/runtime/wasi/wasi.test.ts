import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BADF, FAULT, INVAL, NOTSOCK, NOTSUP, SPIPE, SUCCESS } from './errno.ts';
import { ErrorStream, InputStream, OutputStream } from './streams.ts';
import { ProcessExit, Wasi } from './wasi.ts';

const MEMORY = 4096;
const MAX_OUTPUT = 10_000;

/** WASI over a memory of 4 KiB; `marks` has a 1 for each byte that restore would put back. */
class Bench {
  readonly memory = Buffer.alloc(MEMORY, 0xee);
  readonly marks = Buffer.alloc(MEMORY);
  readonly stdout = new OutputStream();
  readonly stderr = new ErrorStream();
  readonly #wasi: Wasi;

  constructor({ stdin = '', environment = [] as string[] } = {}) {
    const input = new InputStream();
    input.open(Buffer.from(stdin), 0, stdin.length);
    this.stdout.open(MAX_OUTPUT);
    this.stderr.open();
    const host = {
      memory: () => this.memory,
      markWritten: (at: number, length: number) => void this.marks.fill(1, at, at + length),
    };
    this.#wasi = new Wasi(host, input, this.stdout, this.stderr);
    this.#wasi.environment = environment.map((text) => Buffer.from(text));
  }

  call(name: string, ...args: (number | bigint)[]): number {
    // WebAssembly passes i32 signed.
    const values = args.map((value) => (typeof value === 'number' ? value | 0 : value));
    return (this.#wasi.imports[name] as (...args: unknown[]) => number)(...values);
  }

  get names(): string[] {
    return Object.keys(this.#wasi.imports);
  }

  u32(...values: number[]): void {
    values.forEach((value, index) => this.memory.writeUInt32LE(value >>> 0, index * 4));
  }

  get output(): string {
    return this.stdout.bytes.toString('utf8', 0, this.stdout.length);
  }
}

test('strings: sizes, then a table of pointers and the texts with NUL', () => {
  const bench = new Bench({ environment: ['A=1', 'LONG=é'] });
  assert.equal(bench.call('environ_sizes_get', 0, 4), SUCCESS);
  assert.deepEqual([bench.memory.readUInt32LE(0), bench.memory.readUInt32LE(4)], [2, 12]);
  assert.equal(bench.call('environ_get', 100, 200), SUCCESS);
  assert.deepEqual([bench.memory.readUInt32LE(100), bench.memory.readUInt32LE(104)], [200, 204]);
  assert.equal(bench.memory.toString('utf8', 200, 212), 'A=1\0LONG=é\0');
  assert.equal(bench.memory[212], 0xee);
  assert.equal(bench.call('args_sizes_get', 0, 4), SUCCESS);
  assert.equal(bench.memory.readUInt32LE(0), 0);
});

test('strings that do not fit are a fault, at either end', () => {
  const bench = new Bench({ environment: ['A=1'] });
  assert.equal(bench.call('environ_get', MEMORY - 3, 0), FAULT);
  assert.equal(bench.call('environ_get', 0, MEMORY - 3), FAULT);
  assert.equal(bench.call('environ_get', 0xffff_fffc, 0xffff_fffc), FAULT);
  assert.equal(bench.call('environ_get', 0, MEMORY - 4), SUCCESS);
});

test('fd_read fills vectors in order, stops at the end, then reads nothing', () => {
  const bench = new Bench({ stdin: 'hello' });
  bench.u32(100, 2, 200, 10);
  assert.equal(bench.call('fd_read', 0, 0, 2, 64), SUCCESS);
  assert.equal(bench.memory.readUInt32LE(64), 5);
  assert.equal(bench.memory.toString('utf8', 100, 102), 'he');
  assert.equal(bench.memory.toString('utf8', 200, 203), 'llo');
  assert.equal(bench.memory[203], 0xee);
  assert.equal(bench.marks[203], 0, 'only what was written is marked');
  assert.equal(bench.call('fd_read', 0, 0, 2, 64), SUCCESS);
  assert.equal(bench.memory.readUInt32LE(64), 0);
});

test('fd_read over its own vectors: the next one is checked as it is then', () => {
  const bench = new Bench({ stdin: '\xff\xff\xff\x7f\xff\xff\xff\x7f' });
  bench.u32(8, 8, 100, 4);
  assert.equal(bench.call('fd_read', 0, 0, 2, 64), FAULT);
});

test('fd_write gathers; too many vectors are refused, as many as allowed are not', () => {
  const bench = new Bench();
  bench.memory.write('hello', 100);
  bench.u32(100, 2, 102, 3);
  assert.equal(bench.call('fd_write', 1, 0, 2, 64), SUCCESS);
  assert.equal(bench.output, 'hello');
  assert.equal(bench.memory.readUInt32LE(64), 5);
  assert.equal(bench.call('fd_write', 1, 0, 1025, 64), INVAL);
  assert.equal(bench.call('fd_write', 1, 0, -1, 64), INVAL);
  assert.equal(bench.call('fd_write', 1, 0, 1024, 64), FAULT);
  assert.equal(bench.call('fd_write', 1, 0, 0, 64), SUCCESS);
  for (const fd of [0, 3, -1, 0x7fff_ffff]) assert.equal(bench.call('fd_write', fd, 0, 2, 64), BADF);
});

test('output beyond the ceiling ends the program', () => {
  const bench = new Bench();
  bench.u32(0, MEMORY);
  bench.call('fd_write', 1, 0, 1, 64);
  bench.call('fd_write', 1, 0, 1, 64);
  assert.throws(() => bench.call('fd_write', 1, 0, 1, 64), ProcessExit);
  assert.equal(bench.stdout.length, 2 * MEMORY);
  assert.ok(bench.stdout.overflowed);
});

test('standard error: lines however they are written, cut where the log ends', () => {
  const bench = new Bench();
  const say = (text: string) => {
    bench.u32(100, bench.memory.write(text, 100, 'latin1'));
    bench.call('fd_write', 2, 0, 1, 64);
  };
  say('one\ntw');
  say('o\n\xc3');
  say('\xa9\nlast');
  bench.stderr.close();
  assert.deepEqual(
    bench.stderr.lines?.map(({ message }) => message),
    ['one', 'two', 'é', 'last'],
  );
  bench.stderr.open();
  for (let i = 0; i < 10; i++) say('x'.repeat(3000));
  say('\nnext\n');
  assert.deepEqual(
    bench.stderr.lines?.map(({ message }) => message.length),
    [8192, 4],
  );
  bench.stderr.open();
  for (let i = 0; i < 10; i++) say('\n'.repeat(3000));
  assert.equal(bench.stderr.lines?.length, 100);
});

test('clocks: two of them, in whole milliseconds', () => {
  const bench = new Bench();
  const now = BigInt(Date.now()) * 1_000_000n;
  assert.equal(bench.call('clock_time_get', 0, 0n, 8), SUCCESS);
  const time = bench.memory.readBigUInt64LE(8);
  assert.ok(time >= now && time % 1_000_000n === 0n);
  assert.equal(bench.call('clock_res_get', 1, 8), SUCCESS);
  assert.equal(bench.memory.readBigUInt64LE(8), 1_000_000n);
  for (const id of [2, 3, -1]) assert.equal(bench.call('clock_time_get', id, 0n, 8), INVAL);
});

test('random_get: at most 64 KiB a call, within the memory', () => {
  const bench = new Bench();
  assert.equal(bench.call('random_get', 10, 100), SUCCESS);
  assert.ok(bench.memory.subarray(10, 110).some((byte) => byte !== 0xee));
  assert.equal(bench.memory[110], 0xee);
  assert.equal(bench.call('random_get', 0, 65_537), INVAL);
  assert.equal(bench.call('random_get', 0, -1), INVAL);
  assert.equal(bench.call('random_get', MEMORY - 1, 2), FAULT);
  assert.equal(bench.call('random_get', MEMORY, 0), SUCCESS);
});

test('the streams are character devices, other descriptors are not open', () => {
  const bench = new Bench();
  for (const fd of [0, 1, 2]) {
    assert.equal(bench.call('fd_fdstat_get', fd, 100), SUCCESS);
    assert.equal(bench.memory[100], 2);
    assert.equal(bench.call('fd_filestat_get', fd, 200), SUCCESS);
    assert.equal(bench.memory[216], 2);
    assert.equal(bench.call('fd_close', fd), SUCCESS);
    assert.equal(bench.call('fd_seek', fd, 0n, 0, 8), SPIPE);
    assert.equal(bench.call('sock_shutdown', fd, 0), NOTSOCK);
  }
  for (const fd of [3, -1, 0x8000_0000]) {
    for (const name of bench.names.filter((name) => /^(fd|sock)_/.test(name)))
      assert.equal(bench.call(name, fd, 0, 0, 0, 0, 0, 0), BADF, `${name}(${fd})`);
  }
  assert.equal(bench.call('path_open', 3, 0, 0, 0, 0, 0n, 0n, 0, 0), BADF);
});

/** A subscription as poll_oneoff reads it. */
function subscribe(
  bench: Bench,
  index: number,
  type: number,
  subject: number,
  timeout = 0n,
  flags = 0,
): void {
  const at = index * 48;
  bench.memory.fill(0, at, at + 48);
  bench.memory.writeBigUInt64LE(BigInt(index + 70), at);
  bench.memory[at + 8] = type;
  bench.memory.writeUInt32LE(subject >>> 0, at + 16);
  bench.memory.writeBigUInt64LE(timeout, at + 24);
  bench.memory.writeUInt16LE(flags, at + 40);
}

test('poll_oneoff: streams are ready, time that has come too; to wait is refused', () => {
  const bench = new Bench({ stdin: 'abc' });
  subscribe(bench, 0, 0, 1, 1_000_000_000n);
  assert.equal(bench.call('poll_oneoff', 0, 1000, 1, 2000), NOTSUP);
  subscribe(bench, 1, 1, 0);
  subscribe(bench, 2, 2, 1);
  subscribe(bench, 3, 2, 9);
  subscribe(bench, 4, 0, 0, 1n, 1);
  assert.equal(bench.call('poll_oneoff', 0, 1000, 5, 2000), SUCCESS);
  assert.equal(bench.memory.readUInt32LE(2000), 4);
  const events = [0, 1, 2, 3].map((index) => {
    const at = 1000 + index * 32;
    const { memory } = bench;
    return [
      memory.readBigUInt64LE(at),
      memory.readUInt16LE(at + 8),
      memory[at + 10],
      memory.readBigUInt64LE(at + 16),
    ];
  });
  assert.deepEqual(events, [
    [71n, SUCCESS, 1, 3n],
    [72n, SUCCESS, 2, 65_536n],
    [73n, BADF, 2, 0n],
    [74n, SUCCESS, 0, 0n],
  ]);
  assert.equal(bench.call('poll_oneoff', 0, 1000, 0, 2000), INVAL);
  assert.equal(bench.call('poll_oneoff', 0, 1000, -1, 2000), INVAL);
});

test('fuzz: any call with any arguments answers a number, and marks every byte that it writes', () => {
  const names = new Bench().names;
  const word = fc.oneof(fc.integer(), fc.nat(MEMORY + 8), fc.nat(5), fc.constantFrom(-1, MEMORY, 1 << 31));
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.array(word, { minLength: 9, maxLength: 9 }),
      fc.array(word, { maxLength: 24 }),
      (name, args, content) => {
        const bench = new Bench({ stdin: 'some input', environment: ['A=1', 'B=22'] });
        bench.u32(...content);
        const before = Buffer.from(bench.memory);
        try {
          const errno = bench.call(name, ...(name === 'clock_time_get' ? [args[0]!, 0n, args[2]!] : args));
          assert.ok(Number.isInteger(errno) && errno >= 0 && errno < 77, `${name}: ${errno}`);
        } catch (error) {
          if (!(error instanceof ProcessExit)) throw error;
        }
        for (let at = 0; at < MEMORY; at++)
          if (bench.memory[at] !== before[at]) assert.equal(bench.marks[at], 1, `${name} wrote ${at}`);
      },
    ),
    { numRuns: 5000 },
  );
});
