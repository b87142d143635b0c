// Segments of people who stand alike: the answers are members of the trait "standing".

/** The address of a new segment of the people whose standing has the value. */
export const segmentOf = (conditions: Record<string, string | number>) => {
  const leaves = Object.entries(conditions).map(([member, value]) => ({ trait: { path: `standing.${member}`, op: 'eq', value } }))
  return `/segments/new?rule=${encodeURIComponent(JSON.stringify({ all: leaves }))}`
}

/** A rule out of an address, if it is one. */
export function ruleFrom(text: string): { all: unknown[] } {
  try {
    const rule = JSON.parse(text) as { all?: unknown[] }
    if (Array.isArray(rule.all)) return { all: rule.all }
  } catch {
    // not ours
  }
  return { all: [] }
}
