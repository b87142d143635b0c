/** Offers a file to the reader. */
export function download(name: string, content: Blob | string, type = 'text/plain;charset=utf-8') {
  const url = URL.createObjectURL(typeof content === 'string' ? new Blob([content], { type }) : content)
  const a = document.createElement('a')
  a.href = url
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}

const cell = (v: unknown) => {
  const s = v === null || v === undefined ? '' : String(v)
  // A leading = + - @ would be run as a formula by spreadsheets; a quote in front makes it text.
  const safe = typeof v === 'string' && /^[=+\-@\t\r]/.test(s) ? `'${s}` : s
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Rows as CSV; starts with a byte order mark, without which spreadsheets garble Chinese and Japanese. */
export const toCsv = (rows: unknown[][]) => `\uFEFF${rows.map((r) => r.map(cell).join(',')).join('\r\n')}\r\n`
