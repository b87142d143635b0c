// Whether a person is written to at all: suppressed as a person, or at the addresses they have.
import { useState } from 'react'
import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT, word } from '@/i18n'
import {
  Alert,
  Button,
  Card,
  DateTimeInput,
  FormBody,
  Group,
  Loaded,
  Note,
  Select,
  Sheet,
  Stack,
  Switch,
  Tag,
  Textarea,
  Time,
  toast,
  useForm,
} from '@/ui'
import { LiftReason } from './LiftReason'

type Suppressed = Schemas['PersonSuppression']
type Ground = 'asked' | 'complaint' | 'legal' | 'other'

const refresh = ['/api/v1/people', '/api/v1/suppressions']
const grounds: Ground[] = ['asked', 'complaint', 'legal', 'other']

/** A sign beside the name: this person is not written to. */
export function SuppressedTag({ id }: { id: string }) {
  const t = useT()
  const found = useRead('/api/v1/people/{id}/suppression', { path: { id } })
  const held = (found.data?.person.length ?? 0) > 0
  if (!held && !found.data?.addresses.length) return null
  return <Tag tone="danger">{t(held ? 'suppressed.person' : 'suppressed.address')}</Tag>
}

/** What suppresses the person, and the way in and out. */
export function Suppression({ id, name }: { id: string; name: string }) {
  const t = useT()
  const write = useCan()('consent.write')
  const found = useRead('/api/v1/people/{id}/suppression', { path: { id } })
  const [sheet, setSheet] = useState<'suppress' | 'lift' | { channel: string; hash: string; hint: string } | null>(null)
  const close = () => setSheet(null)
  return (
    <Card title={t('suppressed.title')} help={t('suppressed.help')}>
      <Loaded of={found}>
        {(s: Suppressed) => (
          <Stack gap="sm">
            {s.person.map((h) => (
              <Alert key={h.at + h.actor} color="danger" title={t('suppressed.person')}>
                <Stack gap={4}>
                  <div>{t(h.all ? 'suppressed.everything' : 'suppressed.but_answers', { reason: word('hold_reason', h.reason) })}</div>
                  {h.note ? <div style={{ overflowWrap: 'anywhere' }}>{h.note}</div> : null}
                  <Note>
                    {h.actor_name} · <Time at={h.at} />
                    {h.until ? (
                      <>
                        {' '}
                        · {t('suppressed.until')} <Time at={h.until} />
                      </>
                    ) : null}
                  </Note>
                </Stack>
              </Alert>
            ))}
            {s.addresses.map((a) => (
              <Alert key={a.channel + a.hash} color="warning" title={t('suppressed.address_of', { hint: a.hint })}>
                <Group justify="space-between" gap="sm">
                  <Note>
                    {word('suppression_reason', a.reason)}
                    {a.detail ? ` · ${a.detail}` : ''} · <Time at={a.at} />
                  </Note>
                  {write ? (
                    <Button size="compact-sm" onClick={() => setSheet(a)}>
                      {t('suppressed.allow_address')}
                    </Button>
                  ) : null}
                </Group>
              </Alert>
            ))}
            {s.person.length + s.addresses.length === 0 ? <Note>{t('suppressed.none')}</Note> : null}
            {write ? (
              <Group gap="xs">
                <Button onClick={() => setSheet('suppress')}>{t(s.person.length ? 'suppressed.change' : 'suppressed.suppress')}</Button>
                {s.person.length ? <Button onClick={() => setSheet('lift')}>{t('suppressed.lift')}</Button> : null}
              </Group>
            ) : null}
          </Stack>
        )}
      </Loaded>
      <Sheet title={t('suppressed.suppress_title', { name })} opened={sheet === 'suppress'} onClose={close}>
        {sheet === 'suppress' ? <SuppressForm id={id} name={name} onDone={close} /> : null}
      </Sheet>
      <Sheet
        title={sheet === 'lift' ? t('suppressed.lift_title', { name }) : t('suppression.remove')}
        opened={sheet !== null && sheet !== 'suppress'}
        onClose={close}
      >
        {sheet !== null && sheet !== 'suppress' ? (
          <LiftForm id={id} name={name} address={sheet === 'lift' ? undefined : sheet} onDone={close} />
        ) : null}
      </Sheet>
    </Card>
  )
}

function SuppressForm({ id, name, onDone }: { id: string; name: string; onDone: () => void }) {
  const t = useT()
  const send = useSend('put', '/api/v1/people/{id}/suppression', { refresh })
  const form = useForm({
    initial: { reason: 'asked' as Ground, note: '', until: '', all: false },
    save: async (v) => {
      const until = v.until ? new Date(v.until).toISOString() : undefined
      await send.mutateAsync({ path: { id }, body: { reason: v.reason, note: v.note || undefined, until, all: v.all } })
      toast(t('suppressed.done', { name }))
      onDone()
    },
  })
  return (
    <FormBody form={form} action={t('suppressed.suppress')} onCancel={onDone}>
      <Note>{t('suppressed.suppress_text')}</Note>
      <Select
        label={t('field.reason')}
        allowDeselect={false}
        data={grounds.map((value) => ({ value, label: t(`hold_reason.${value}`) }))}
        {...form.getInputProps('reason')}
      />
      <Textarea
        label={t('suppression.detail')}
        required={form.values.reason === 'other'}
        autosize
        minRows={2}
        maxLength={2000}
        {...form.getInputProps('note')}
      />
      <DateTimeInput
        label={t('suppressed.end')}
        description={t('suppressed.end_help')}
        value={form.values.until}
        onChange={(v) => form.setFieldValue('until', v)}
        error={form.errors.until}
      />
      <Switch label={t('suppressed.all')} description={t('suppressed.all_help')} {...form.getInputProps('all', { type: 'checkbox' })} />
    </FormBody>
  )
}

function LiftForm({
  id,
  name,
  address,
  onDone,
}: {
  id: string
  name: string
  address?: { channel: string; hash: string; hint: string }
  onDone: () => void
}) {
  const t = useT()
  const lift = useSend('delete', '/api/v1/people/{id}/suppression', { refresh })
  const allow = useSend('delete', '/api/v1/suppressions/{channel}/{hash}', { refresh })
  const form = useForm({
    initial: { why: '' },
    save: async (v) => {
      if (address) await allow.mutateAsync({ path: { channel: address.channel, hash: address.hash }, query: { why: v.why } })
      else await lift.mutateAsync({ path: { id }, query: { why: v.why } })
      toast(address ? t('suppression.removed', { hint: address.hint }) : t('suppressed.lifted', { name }))
      onDone()
    },
  })
  return (
    <FormBody form={form} action={t(address ? 'suppressed.allow_address' : 'suppressed.lift')} onCancel={onDone}>
      <LiftReason {...form.getInputProps('why')} />
    </FormBody>
  )
}
