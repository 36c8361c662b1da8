import { type ProblemCode, problemType, problems } from '../model/problems.ts';

export const problemHeaders = Buffer.from('content-type: application/problem+json\r\n');

const plain = new Map<ProblemCode, Buffer>();

/** RFC 9457 document as bytes. Those without anything of their own are rendered once. */
export function problemDocument(
  code: ProblemCode,
  detail: string | undefined,
  requestId: string | null,
): Buffer {
  if (detail !== undefined || requestId !== null) return render(code, detail, requestId);
  let document = plain.get(code);
  if (document === undefined) {
    document = render(code, undefined, null);
    plain.set(code, document);
  }
  return document;
}

function render(code: ProblemCode, detail: string | undefined, requestId: string | null): Buffer {
  const problem = problems[code];
  const document = {
    type: problemType(code),
    title: problem.title,
    status: problem.status,
    detail: detail ?? problem.detail,
    ...(requestId === null ? {} : { instance: requestId }),
  };
  return Buffer.from(`${JSON.stringify(document)}\n`);
}
