// Working out anew what follows from the events of some days.
import { useState } from 'react'
import { type Schemas, useSend } from '@/api'
import { formatNumber, useT } from '@/i18n'
import { DateTimeInput, FormBody, Note, toast, useForm } from '@/ui'

/** From the first moment of a day to the last of another, on the reader's clock. */
function range(from: string, to: string): Schemas['ReplayRange'] {
  const end = new Date(`${to}T00:00`)
  end.setDate(end.getDate() + 1)
  return { from: new Date(`${from}T00:00`).toISOString(), to: end.toISOString() }
}

export function Replay({ onClose }: { onClose: () => void }) {
  const t = useT()
  const check = useSend('post', '/api/v1/replays/check')
  const begin = useSend('post', '/api/v1/replays', { refresh: ['/api/v1/jobs'] })
  const [size, setSize] = useState<{ of: string; found: Schemas['ReplaySize'] } | null>(null)
  const form = useForm({
    initial: { from: '', to: '' },
    // The first press counts, the second begins: nobody should be surprised by how many that are.
    save: async (v) => {
      const body = range(v.from, v.to)
      const of = JSON.stringify(body)
      if (size?.of !== of) return setSize({ of, found: await check.mutateAsync({ body }) })
      await begin.mutateAsync({ body })
      toast(t('replay.begun'))
      onClose()
    },
    onDone: () => {},
    check: (x) => ({ ...(x.from ? {} : { from: t('replay.day') }), ...(x.to ? {} : { to: t('replay.day') }) }),
  })
  const v = form.getValues()
  const ready = v.from !== '' && v.to !== ''
  const counted = ready && size?.of === JSON.stringify(range(v.from, v.to)) ? size.found : null
  return (
    <FormBody form={form} action={t(counted ? 'replay.action' : 'replay.check')} onCancel={onClose}>
      <Note>{t('replay.text')}</Note>
      <DateTimeInput
        dateOnly
        required
        label={t('replay.from')}
        value={v.from}
        error={form.errors.from}
        onChange={(from) => form.setFieldValue('from', from)}
      />
      <DateTimeInput
        dateOnly
        required
        label={t('replay.to')}
        value={v.to}
        error={form.errors.to}
        onChange={(to) => form.setFieldValue('to', to)}
      />
      {counted ? <p>{t('replay.size', { people: formatNumber(counted.people), events: formatNumber(counted.events) })}</p> : null}
    </FormBody>
  )
}
