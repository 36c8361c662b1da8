import { put, putDigits } from "../memory/bytes";
import * as wasi from "../wasi";

/** Monotonic milliseconds, as of the last look: coarse, and free to read. */
export let now: i64 = 0;

const CPU_TIME: i32 = 3;
const MILLISECOND: i64 = 1_000_000;

function milliseconds(clock: i32): i64 {
  if (wasi.clock_time_get(clock, MILLISECOND, wasi.out) != wasi.SUCCESS) return 0;
  return load<i64>(wasi.out) / MILLISECOND;
}

export function readNow(): void {
  now = milliseconds(wasi.MONOTONIC);
}

export function monotonic(): i64 {
  return milliseconds(wasi.MONOTONIC);
}

/** Milliseconds since the Unix epoch. */
export function realTime(): i64 {
  return milliseconds(wasi.REALTIME);
}

/** CPU time of this thread. */
export function cpuTime(): i64 {
  return milliseconds(CPU_TIME);
}

/** `date: Sun, 06 Nov 1994 08:49:37 GMT\r\n` (RFC 9110 §5.6.7). */
export const dateLine: usize = memory.data(48, 16);
export const DATE_LINE_BYTES: usize = 37;

let year: i32 = 0;
let month: i32 = 0;
let day: i32 = 0;

/** The civil date of a day counted from 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
function setDate(days: i32): void {
  const shifted = days + 719468;
  const era = shifted / 146097;
  const ofEra = shifted - era * 146097;
  const yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146096) / 365;
  const ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const shiftedMonth = (5 * ofYear + 2) / 153;
  day = ofYear - (153 * shiftedMonth + 2) / 5 + 1;
  month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
}

function putName(at: usize, names: string, index: i32): usize {
  for (let i = 0; i < 3; i++) store<u8>(at + i, names.charCodeAt(index * 3 + i));
  return at + 3;
}

export function renderDateLine(): void {
  const seconds = realTime() / 1000;
  const days = <i32>(seconds / 86400);
  setDate(days);
  let at = put(dateLine, "date: ");
  at = putName(at, "ThuFriSatSunMonTueWed", days % 7);
  at = put(at, ", ");
  at = putDigits(at, day, 2);
  store<u8>(at++, 0x20);
  at = putName(at, "JanFebMarAprMayJunJulAugSepOctNovDec", month - 1);
  store<u8>(at++, 0x20);
  at = putDigits(at, year, 4);
  store<u8>(at++, 0x20);
  at = putTime(at, <i32>(seconds % 86400));
  put(at, " GMT\r\n");
}

/** `2026-11-23T08:49:37.123Z`, for logs. */
export function putTimestamp(to: usize): usize {
  const time = realTime();
  const seconds = time / 1000;
  setDate(<i32>(seconds / 86400));
  let at = putDigits(to, year, 4);
  store<u8>(at++, 0x2d);
  at = putDigits(at, month, 2);
  store<u8>(at++, 0x2d);
  at = putDigits(at, day, 2);
  store<u8>(at++, 0x54);
  at = putTime(at, <i32>(seconds % 86400));
  store<u8>(at++, 0x2e);
  at = putDigits(at, <u32>(time % 1000), 3);
  store<u8>(at++, 0x5a);
  return at;
}

function putTime(to: usize, ofDay: i32): usize {
  let at = putDigits(to, ofDay / 3600, 2);
  store<u8>(at++, 0x3a);
  at = putDigits(at, (ofDay / 60) % 60, 2);
  store<u8>(at++, 0x3a);
  return putDigits(at, ofDay % 60, 2);
}
