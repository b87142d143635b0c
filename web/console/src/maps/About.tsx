import { useState } from 'react'
import { useAll } from '@/api'
import { formatNumber, useT } from '@/i18n'
import { Button, Select, Sheet, Stack, Textarea, TextInput } from '@/ui'
import type { Plan } from './plan'

/** What the map is called, whom it shows and whose ways stand beside it. Saved as it is typed, like the map. */
export function About({ plan, change }: { plan: Plan; change: (next: (p: Plan) => Plan, key?: string) => void }) {
  const t = useT()
  const [open, setOpen] = useState(false)
  const personas = useAll('/api/v1/personas', { enabled: open })
  const segments = useAll('/api/v1/segments', { enabled: open })
  const put = (patch: Partial<Plan>, key: string) => change((p) => ({ ...p, ...patch }), key)
  return (
    <>
      <Button variant="filled" onClick={() => setOpen(true)}>
        {t('maps.about')}
      </Button>
      <Sheet title={t('maps.about')} opened={open} onClose={() => setOpen(false)}>
        <Stack gap="md">
          <TextInput
            label={t('field.name')}
            required
            maxLength={120}
            value={plan.name}
            error={plan.name.trim() ? undefined : t('error.map.name')}
            onChange={(e) => put({ name: e.currentTarget.value }, 'name')}
          />
          <Textarea
            label={t('field.description')}
            autosize
            minRows={3}
            maxLength={2000}
            value={plan.description ?? ''}
            onChange={(e) => put({ description: e.currentTarget.value }, 'description')}
          />
          <Select
            label={t('maps.persona')}
            description={t('maps.persona_help')}
            clearable
            searchable
            value={plan.persona_id ?? null}
            onChange={(v) => put({ persona_id: v ?? undefined }, '')}
            data={(personas.data?.items ?? []).map((p) => ({ value: p.id, label: p.name }))}
          />
          <Select
            label={t('maps.segment')}
            description={t('maps.segment_help')}
            clearable
            searchable
            value={plan.segment_id ?? null}
            onChange={(v) => put({ segment_id: v ?? undefined }, '')}
            data={(segments.data?.items ?? []).map((s) => ({ value: s.id, label: `${s.name} (${formatNumber(s.size)})` }))}
          />
        </Stack>
      </Sheet>
    </>
  )
}
