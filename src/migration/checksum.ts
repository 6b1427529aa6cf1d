import { createHash } from 'node:crypto'

/** SHA-256 of `text` in lower-case hex, CRLF read as LF, so that a checkout on Windows changes nothing. */
export function checksumOf(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n'), 'utf8').digest('hex')
}
