/** How an A/B test ended: one way won, one led that luck may have led, or nothing lies between them. */
export const verdict = (r: { certain: boolean; chance: number }) => (r.certain ? 'certain' : r.chance >= 1 ? 'tied' : 'uncertain')
