/** Why a text is not JSON (RFC 8259). */
export enum JsonError {
  None,
  UnexpectedEnd,
  ExpectedValue,
  ExpectedKey,
  ExpectedColon,
  ExpectedCommaOrEnd,
  TrailingCharacters,
  BadNumber,
  BadEscape,
  ControlCharacter,
  BadUtf8,
  TooDeep,
}

export function describe(error: i32): string {
  switch (error) {
    case JsonError.UnexpectedEnd: return "Unexpected end of JSON";
    case JsonError.ExpectedValue: return "Expected a value";
    case JsonError.ExpectedKey: return "Expected a member name in double quotes";
    case JsonError.ExpectedColon: return "Expected ':'";
    case JsonError.ExpectedCommaOrEnd: return "Expected ',' or the end of the array or object";
    case JsonError.TrailingCharacters: return "Unexpected text after the value";
    case JsonError.BadNumber: return "Malformed number";
    case JsonError.BadEscape: return "Malformed escape in a string";
    case JsonError.ControlCharacter: return "Unescaped control character in a string";
    case JsonError.BadUtf8: return "Malformed UTF-8 in a string";
    default: return "Nested too deeply";
  }
}
