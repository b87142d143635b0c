// What somebody may have meant by a word that is not known.

/** The known word most like it: at most two letters added, left out, replaced or exchanged with their neighbour, and less than half of the word. */
export function similar(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.min(3, word.length / 2)
  for (const k of known) {
    const d = distance(word.toLowerCase(), k.toLowerCase())
    if (k !== word && d < least) {
      best = k
      least = d
    }
  }
  return best
}

function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      let d = Math.min(row[j]! + (a[i] === b[j] ? 0 : 1), row[j + 1]! + 1, next[j]! + 1)
      if (i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j]) d = Math.min(d, before[j - 1]! + 1)
      next.push(d)
    }
    before = row
    row = next
  }
  return row[b.length]!
}
