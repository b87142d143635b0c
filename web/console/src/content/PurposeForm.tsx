import type { Schemas } from '@/api'
import { useT } from '@/i18n'
import { Card, Stack, Textarea, TextInput } from '@/ui'
import type { Draft } from './draft'

type Purpose = Schemas['Purpose']

/** What the team has thought about before it asks somebody for attention. Nothing of it is sent. */
export function PurposeForm({ draft, onChange }: { draft: Draft; onChange: (patch: Partial<Draft>, field: string) => void }) {
  const t = useT()
  const p: Purpose = draft.purpose ?? {}
  const set = (name: keyof Purpose, value: string) => onChange({ purpose: { ...p, [name]: value } }, `purpose.${name}`)
  const area = (name: keyof Purpose) => (
    <Textarea
      key={name}
      name={`purpose.${name}`}
      autosize
      minRows={2}
      maxRows={6}
      label={t(`purpose.${name}`)}
      description={t(`purpose.${name}_help`)}
      value={p[name] ?? ''}
      onChange={(e) => set(name, e.currentTarget.value)}
    />
  )
  return (
    <Stack gap="md">
      <Card title={t('purpose.title')} help={t('purpose.lead')}>
        <Stack gap="md">
          <Textarea
            name="value_proposition"
            autosize
            minRows={2}
            maxRows={6}
            label={t('purpose.open')}
            description={t('purpose.open_help')}
            value={draft.value_proposition ?? ''}
            onChange={(e) => onChange({ value_proposition: e.currentTarget.value }, 'value_proposition')}
          />
          {area('read')}
          {area('click')}
          <TextInput
            name="purpose.action"
            label={t('purpose.action')}
            description={t('purpose.action_help')}
            value={p.action ?? ''}
            onChange={(e) => set('action', e.currentTarget.value)}
          />
        </Stack>
      </Card>
      <Card title={t('purpose.asking')} help={t('purpose.asking_lead')}>
        <Stack gap="md">
          {area('ask')}
          {p.ask ? (['why', 'who', 'use'] as const).map(area) : null}
        </Stack>
      </Card>
    </Stack>
  )
}
