// What other servers are imagined to say during a trial, one for each webhook of the journey.
import type { Schemas } from '@/api'
import { useT } from '@/i18n'
import { Group, helpFirst, InputWrapper, JsonTextarea, NumberInput, Select, Stack } from '@/ui'
import type { Graph } from './graph'
import { stepTitle } from './words'

export interface Reply {
  kind: 'done' | 'refused' | 'never'
  status: number
  body: unknown
}

/** What a webhook hears unless the reader says otherwise. */
export const usual: Reply = { kind: 'done', status: 200, body: undefined }

const usualStatus = { done: 200, refused: 500, never: 0 }
const kinds = ['done', 'refused', 'never'] as const

export const webhooksOf = (g: Graph) => g.nodes.filter((n) => n.kind === 'webhook')

/** As the server takes them. */
export const answersOf = (g: Graph, said: Record<string, Reply>): Schemas['TrialAnswer'][] =>
  webhooksOf(g).map((n) => {
    const r = said[n.id] ?? usual
    return { node: n.id, status: r.status, ...(r.kind === 'never' || r.body === undefined ? {} : { body: r.body as never }) }
  })

/** Whether something was typed as an answer that is no JSON. */
export const unreadable = (g: Graph, said: Record<string, Reply>) =>
  webhooksOf(g).some((n) => said[n.id]?.kind !== 'never' && typeof said[n.id]?.body === 'string')

export function Answers({ graph, said, set }: { graph: Graph; said: Record<string, Reply>; set: (said: Record<string, Reply>) => void }) {
  const t = useT()
  const hooks = webhooksOf(graph)
  if (hooks.length === 0) return null
  return (
    <InputWrapper label={t('journeys.replies')} description={t('journeys.replies_help')} labelElement="div" inputWrapperOrder={helpFirst}>
      <Stack gap="sm" mt="xs">
        {hooks.map((n) => {
          const r = said[n.id] ?? usual
          const put = (patch: Partial<Reply>) => set({ ...said, [n.id]: { ...r, ...patch } })
          return (
            <fieldset key={n.id} aria-label={stepTitle(n)} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
              <Stack gap="xs">
                <Group gap="xs" align="flex-end">
                  <Select
                    label={stepTitle(n)}
                    flex={1}
                    miw={200}
                    allowDeselect={false}
                    data={kinds.map((k) => ({ value: k, label: t(`journeys.reply_${k}`) }))}
                    value={r.kind}
                    onChange={(kind) => kind && put({ kind: kind as Reply['kind'], status: usualStatus[kind as Reply['kind']] })}
                  />
                  {r.kind === 'never' ? null : (
                    <NumberInput
                      label={t('journeys.reply_status')}
                      w={120}
                      allowDecimal={false}
                      min={r.kind === 'done' ? 200 : 300}
                      max={r.kind === 'done' ? 299 : 599}
                      value={r.status}
                      onChange={(v) => put({ status: Number(v) || usualStatus[r.kind] })}
                    />
                  )}
                </Group>
                {r.kind === 'never' ? null : (
                  <JsonTextarea
                    label={t('journeys.reply_body')}
                    description={t('journeys.reply_body_help', { path: `answers.${n.id}.body` })}
                    error={typeof r.body === 'string' ? t('segments.not_json') : undefined}
                    value={r.body}
                    onChange={(body) => put({ body })}
                  />
                )}
              </Stack>
            </fieldset>
          )
        })}
      </Stack>
    </InputWrapper>
  )
}
