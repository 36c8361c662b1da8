import { putBytes } from "../memory/bytes";
import { idBytes, lineBytes, lineStart, PREFIX_BYTES } from "../server/request-id";
import { Template, frameOf } from "./template";

/** How long the request frame is with a body of `bodyBytes`. The request's id must be known. */
export function frameBytes(template: Template, bodyBytes: usize): usize {
  return bodyOffset(template) + bodyBytes + PREFIX_BYTES + idBytes();
}

function bodyOffset(template: Template): usize {
  return load<u32>(frameOf(template), 28);
}

/** Writes the request frame: the template, the body, then the request id, which is the last row of the table. */
export function writeFrame(to: usize, template: Template, body: usize, bodyBytes: usize): void {
  const frame = frameOf(template);
  const idOffset = bodyOffset(template) + bodyBytes;
  const valueBytes = idBytes();
  const row = frame + template.textOffset - 16;
  store<u32>(frame, idOffset + PREFIX_BYTES + valueBytes, 20);
  store<u32>(frame, bodyBytes, 32);
  store<u32>(row, idOffset);
  store<u32>(row, idOffset + PREFIX_BYTES, 8);
  store<u32>(row, valueBytes, 12);
  let at = putBytes(to, frame, bodyOffset(template));
  if (bodyBytes > 0) at = putBytes(at, body, bodyBytes);
  putBytes(at, lineStart, lineBytes - 2);
}
