import { Bytes } from "./bytes";
import { HEADROOM, RESPONSE_HEAD_SIZE, VERSION } from "./frame";
import { ResponseHeaders, writeHeader } from "./headers";
import { Value } from "./json/value";
import { Writer } from "./json/writer";
import { encode, encodedCapacity } from "./utf8";

/** `{ status: 201 }`, as in fetch. */
export class ResponseInit {
  status: i32 = 200;
  /** Pairs: `[["cache-control", "no-store"]]`. */
  headers: string[][] | null = null;
}

export class Response {
  status: i32;
  private fields: ResponseHeaders | null = null;
  private body: Bytes;
  private contentType: string;

  /** A text response: `new Response("Not here", { status: 404 })`. */
  constructor(body: string = "", init: ResponseInit | null = null) {
    const bytes = new Bytes(encodedCapacity(body), HEADROOM);
    bytes.length = encode(body, bytes.start);
    this.body = bytes;
    this.contentType = "text/plain; charset=utf-8";
    this.status = 200;
    if (init !== null) this.apply(init);
  }

  /** Any bytes; `contentType` may be empty. */
  static bytes(content: Uint8Array, contentType: string = "application/octet-stream", init: ResponseInit | null = null): Response {
    const bytes = new Bytes(content.byteLength, HEADROOM);
    bytes.append(content.dataStart, content.byteLength);
    return Response.of(bytes, contentType, init);
  }

  /** JSON just written with `JSON.object()` or `JSON.array()`; what is still open is closed. */
  static json(content: Writer, init: ResponseInit | null = null): Response {
    return Response.of(content.finish(), "application/json", init);
  }

  /** A part of some JSON that was read, as it is. */
  static value(content: Value, init: ResponseInit | null = null): Response {
    const bytes = new Bytes(content.source.length, HEADROOM);
    bytes.append(content.source.start, content.source.length);
    return Response.of(bytes, "application/json", init);
  }

  /** An error for the caller, as a problem document (RFC 9457). */
  static problem(status: i32, title: string, detail: string = ""): Response {
    const document = new Writer(true).set("title", title).set("status", status);
    if (detail.length > 0) document.set("detail", detail);
    const response = Response.of(document.finish(), "application/problem+json", null);
    response.status = status;
    return response;
  }

  private static of(body: Bytes, contentType: string, init: ResponseInit | null): Response {
    const response = changetype<Response>(__new(offsetof<Response>(), idof<Response>()));
    response.fields = null;
    response.body = body;
    response.contentType = contentType;
    response.status = 200;
    if (init !== null) response.apply(init);
    return response;
  }

  get headers(): ResponseHeaders {
    let fields = this.fields;
    if (fields === null) {
      fields = new ResponseHeaders();
      if (this.contentType.length > 0) fields.append("content-type", this.contentType);
      this.fields = fields;
    }
    return fields;
  }

  private apply(init: ResponseInit): void {
    this.status = init.status;
    const pairs = init.headers;
    if (pairs === null) return;
    for (let i = 0; i < pairs.length; i++) this.headers.set(pairs[i][0], pairs[i][1]);
  }

  /** Finishes the frame in front of the body and returns its address and length as one number. */
  toFrame(): u64 {
    const block = new Bytes(128);
    const fields = this.fields;
    let count = 0;
    if (fields !== null) {
      fields.writeTo(block);
      count = fields.count;
    } else if (this.contentType.length > 0) {
      writeHeader(block, "content-type", this.contentType);
      count = 1;
    }
    const body = this.body;
    const headSize = RESPONSE_HEAD_SIZE + block.length;
    let frame = body.start - headSize;
    if (headSize > body.headroom) {
      frame = __alloc(headSize + body.length);
      memory.copy(frame + headSize, body.start, body.length);
    }
    store<u8>(frame, VERSION);
    store<u8>(frame, 0, 1);
    store<u16>(frame, <u16>this.status, 2);
    store<u16>(frame, <u16>count, 4);
    store<u16>(frame, 0, 6);
    store<u32>(frame, <u32>block.length, 8);
    store<u32>(frame, <u32>body.length, 12);
    memory.copy(frame + RESPONSE_HEAD_SIZE, block.start, block.length);
    return ((<u64>frame) << 32) | <u64>(headSize + body.length);
  }
}
