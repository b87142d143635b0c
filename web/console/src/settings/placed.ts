// Entries of a list that is saved as a whole, and has no ids: two people may write different ones at the same time.

/**
 * Where an entry that was opened at a place of the list as it was then is to be written: at its place in the list as it is now. An entry without a place is new
 * and comes last. If somebody else has changed or removed it meanwhile it is gone: then it is written over what was seen, which the server refuses.
 */
export function placed(at: number, seen: readonly unknown[], now: readonly unknown[]): { at: number; gone: boolean } {
  if (at < 0) return { at: now.length, gone: false }
  const was = JSON.stringify(seen[at])
  const there = now.findIndex((x) => JSON.stringify(x) === was)
  return there < 0 ? { at, gone: true } : { at: there, gone: false }
}
