import { useState } from 'react'
import { useRead } from '@/api'
import { formatDays, useT } from '@/i18n'
import { Button, DateTimeInput, FilterChip, Group, Popover, Stack } from '@/ui'
import { periodOf } from './compare'

const named = ['last_7', 'last_30', 'last_90', 'this_month', 'last_month']

/** The choice of a period: a named one, or two days. Days are those of the workspace's zone. */
export function Period({ from, to, onChange }: { from: string; to: string; onChange: (p: { from: string; to: string }) => void }) {
  const t = useT()
  const workspace = useRead('/api/v1/workspace', {})
  const [open, setOpen] = useState(false)
  const [draft, setDraft] = useState({ from, to })
  const [now] = useState(() => new Date())
  const today = new Intl.DateTimeFormat('en-CA', { timeZone: workspace.data?.timezone }).format(now)
  const current = from || to ? (named.find((n) => periodOf(n, today).from === from && periodOf(n, today).to === to) ?? 'custom') : 'last_30'
  return (
    <Group gap="xs">
      <FilterChip
        label={t('report.period')}
        value={current === 'custom' ? '' : current}
        choices={named.map((n) => ({ value: n, label: t(`report.period_${n}`) }))}
        onChange={(n) => onChange(n === '' || n === 'last_30' ? { from: '', to: '' } : periodOf(n, today))}
      />
      <Popover opened={open} onChange={setOpen} position="bottom-start" closeOnClickOutside={false}>
        <Popover.Target>
          <Button
            variant={current === 'custom' ? 'light' : 'default'}
            onClick={() => {
              setDraft({ from: from || periodOf('last_30', today).from, to: to || today })
              setOpen(!open)
            }}
          >
            {current === 'custom' ? formatDays(from, to || today) : t('report.period_custom')}
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <Stack gap="sm" w={240}>
            <DateTimeInput
              dateOnly
              required
              label={t('report.from')}
              value={draft.from}
              onChange={(x) => setDraft({ ...draft, from: x })}
            />
            <DateTimeInput dateOnly required label={t('report.to')} value={draft.to} onChange={(x) => setDraft({ ...draft, to: x })} />
            <Group gap="xs" justify="flex-end">
              <Button onClick={() => setOpen(false)}>{t('action.cancel')}</Button>
              <Button
                variant="filled"
                onClick={() => {
                  onChange(draft)
                  setOpen(false)
                }}
              >
                {t('report.show')}
              </Button>
            </Group>
          </Stack>
        </Popover.Dropdown>
      </Popover>
    </Group>
  )
}
