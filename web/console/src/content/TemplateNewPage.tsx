import { useState } from 'react'
import { type Schemas, useList, useSend } from '@/api'
import { formatLanguage, language, languages, t as text, useT } from '@/i18n'
import { useGo } from '@/lib/route'
import { Card, FormBody, FormPage, LoadingState, Radio, SearchBox, Select, Stack, TextInput, useForm } from '@/ui'
import { type Draft, draftOf } from './draft'

type Template = Schemas['Template']

/** A short mail of its own: a headline, a few words and the one thing to do. */
function blank(name: string, locale: string): Draft {
  return {
    name,
    channel: 'email',
    kind: 'blocks',
    locale,
    subject: name,
    document: {
      version: 1,
      sections: [
        {
          id: 's1',
          columns: [
            {
              blocks: [
                { id: 'b1', type: 'heading', text: text('content.new.heading') },
                { id: 'b2', type: 'text', text: text('content.new.text') },
                { id: 'b3', type: 'button', label: text('content.new.button'), url: '{{ workspace.site }}' },
              ],
            },
          ],
        },
      ],
    },
  }
}

export default function TemplateNewPage() {
  const t = useT()
  const go = useGo()
  const [q, setQ] = useState('')
  const letters = useList('/api/v1/templates', { query: { q: q || undefined } }, { size: 20 })
  const create = useSend('post', '/api/v1/templates', { refresh: ['/api/v1/templates'] })
  const form = useForm({
    initial: { name: '', locale: language() as string, from: '' },
    save: async (v) => {
      const start = letters.items.find((x) => x.id === v.from)
      const body: Draft = start ? { ...draftOf(start), name: v.name } : blank(v.name, v.locale)
      const made = await create.mutateAsync({ body })
      go(`/content/${made.id}`)
    },
  })
  const v = form.getValues()
  return (
    <FormPage title={t('content.new_mail')} lead={t('content.new_lead')} crumbs={[{ to: '/content', label: t('nav.content') }]}>
      <FormBody form={form} action={t('action.create')} onCancel={() => go('/content')}>
        <Card>
          <Stack gap="md">
            <TextInput
              label={t('field.name')}
              description={t('content.name_help')}
              required
              maxLength={200}
              data-autofocus
              {...form.getInputProps('name')}
            />
            {v.from === '' ? (
              <Select
                label={t('content.language')}
                allowDeselect={false}
                data={languages.map((l) => ({ value: l.code, label: formatLanguage(l.code) }))}
                {...form.getInputProps('locale')}
              />
            ) : null}
          </Stack>
        </Card>
        <Card title={t('content.start')} help={t('content.start_help')}>
          <SearchBox value={q} onChange={setQ} placeholder={t('content.search')} />
          <Radio.Group mt="md" aria-label={t('content.start')} {...form.getInputProps('from')}>
            <Stack gap="sm">
              <Radio value="" label={t('content.blank')} description={t('content.blank_help')} />
              {letters.items.map((x: Template) => (
                <Radio key={x.id} value={x.id} label={x.name} description={x.value_proposition || x.subject} />
              ))}
              {letters.loading && letters.items.length === 0 ? <LoadingState rows={8} /> : null}
            </Stack>
          </Radio.Group>
        </Card>
      </FormBody>
    </FormPage>
  )
}
