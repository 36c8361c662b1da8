import { methodName, RequestField } from "./frame";
import { RequestHeaders } from "./headers";
import { Value } from "./json/value";
import { parseBytes } from "./json/parse";
import { Query } from "./query";
import { decode, equals } from "./utf8";

/** The request that the function was called for. Everything is read from its frame when it is asked for. */
export class Request {
  private parsedBody: Value | null = null;
  private parsedUser: Value | null = null;

  constructor(private frame: usize) {}

  /** "GET", "POST", ... */
  get method(): string {
    return methodName(load<u8>(this.frame, RequestField.METHOD));
  }

  /** The path as it was routed, percent-encoded, without the query. */
  get path(): string {
    return decode(this.start(RequestField.PATH), this.size(RequestField.PATH));
  }

  /** `request.is("POST", "/api/orders")`: method and path, compared without making strings. */
  is(method: string, path: string): bool {
    return this.method == method && equals(this.start(RequestField.PATH), this.size(RequestField.PATH), path);
  }

  /** Path and query together. */
  get url(): string {
    return this.size(RequestField.QUERY) == 0 ? this.path : this.path + "?" + this.query.toString();
  }

  get query(): Query {
    return new Query(this.start(RequestField.QUERY), this.size(RequestField.QUERY));
  }

  get headers(): RequestHeaders {
    return new RequestHeaders(this.frame);
  }

  /** The claims of the verified token: `request.user.get("sub").asString()`. Missing when nobody is signed in. */
  get user(): Value {
    const known = this.parsedUser;
    if (known !== null) return known;
    const size = this.size(RequestField.USER);
    const user = size == 0 ? Value.missing : parseBytes(this.start(RequestField.USER), size);
    this.parsedUser = user;
    return user;
  }

  /** The body as text. */
  text(): string {
    return decode(this.start(RequestField.BODY), this.size(RequestField.BODY));
  }

  /** A copy of the body. */
  bytes(): Uint8Array {
    const size = this.size(RequestField.BODY);
    const bytes = new Uint8Array(<i32>size);
    memory.copy(bytes.dataStart, this.start(RequestField.BODY), size);
    return bytes;
  }

  /** The body as JSON. Malformed JSON is a value too: `isInvalid`, with `error` saying what is wrong and where. */
  json(): Value {
    const known = this.parsedBody;
    if (known !== null) return known;
    const body = parseBytes(this.start(RequestField.BODY), this.size(RequestField.BODY));
    this.parsedBody = body;
    return body;
  }

  private start(field: usize): usize {
    return this.frame + load<u32>(this.frame + field);
  }

  private size(field: usize): usize {
    return load<u32>(this.frame + field, 4);
  }
}
