/** Lines of an upload as the API takes them: a bare address is a mail address, anything else is written kind:value. */
export const rowsOf = (text: string): string[] =>
  text
    .split(/[\r\n]+/)
    .map((r) => r.trim().replace(/^"|"$/g, ''))
    .filter(Boolean)
    .map((r) => (!r.includes(':') && r.includes('@') ? `email:${r}` : r))
