import { hasText, t } from '@/i18n'

const order = {
  stage: ['anonymous', 'lead', 'new', 'active', 'won_back', 'at_risk', 'dormant', 'churned'],
  participation: ['author', 'occasional', 'silent'],
  service: ['high', 'low', 'tech'],
} as const

/** What a label of the workspace is called: its own name, else the word for its key. */
export function labelName(l: { key: string; name?: string }): string {
  if (l.name) return l.name
  return hasText(`standing.label.${l.key}`) ? t(`standing.label.${l.key}`) : l.key
}

/** Counts in the order of the thing, those nobody has with 0. */
export function ordered(kind: keyof typeof order, counts: { key: string; n: number }[]) {
  return order[kind].map((key) => ({ key, n: counts.find((c) => c.key === key)?.n ?? 0 }))
}
