import { useState } from 'react'
import { type Schemas, useList, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatList, useT, word } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import {
  Button,
  Card,
  Checkbox,
  DataTable,
  EmptyState,
  FormBody,
  Group,
  Note,
  Radio,
  Select,
  Sheet,
  Stack,
  Status,
  Tag,
  Textarea,
  TextInput,
  toastError,
  toastUndo,
  useForm,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

type Topic = Schemas['Topic']

const live = { refresh: ['/api/v1/topics'] }
const optIns: Topic['opt_in'][] = ['explicit', 'double', 'implied']

/** What people can subscribe to. */
export default function TopicsSection() {
  const t = useT()
  const write = useCan()('settings.write')
  const [editing, setEditing] = useState<Topic | 'new' | null>(null)
  useShortcuts(write ? [{ keys: 'n', label: t('topic.new'), run: () => setEditing('new') }] : [])
  const topics = useRead('/api/v1/topics', {})
  const update = useSend('put', '/api/v1/topics/{id}', live)
  const archive = (x: Topic, archived: boolean) =>
    update.mutate(
      {
        path: { id: x.id },
        body: {
          name: x.name,
          description: x.description,
          channels: x.channels,
          opt_in: x.opt_in,
          confirmation_template: x.confirmation_template,
          archived,
        },
      },
      {
        onSuccess: () => archived && toastUndo(t('topic.archived', { name: x.name }), () => archive(x, false)),
        onError: toastError,
      },
    )
  return (
    <SettingsSection
      id="topics"
      actions={
        write ? (
          <Button variant="filled" onClick={() => setEditing('new')}>
            {t('topic.new')}
          </Button>
        ) : null
      }
    >
      <Card flush>
        <DataTable
          bare
          plain
          name="topics"
          label={t('settings.section.topics')}
          rows={topics.data?.items ?? []}
          rowId={(x) => x.id}
          loading={topics.isLoading}
          error={topics.error}
          onRetry={() => void topics.refetch()}
          columns={[
            {
              id: 'name',
              title: t('field.name'),
              cell: (x) => (
                <>
                  {x.name} {x.archived ? <Status value="archived" /> : null}
                  {x.description ? (
                    <div>
                      <Note>{x.description}</Note>
                    </div>
                  ) : null}
                </>
              ),
            },
            { id: 'opt_in', title: t('topic.opt_in'), cell: (x) => t(`opt_in.${x.opt_in}`) },
            { id: 'channels', title: t('figure.channels'), cell: (x) => formatList((x.channels ?? []).map((c) => word('channel', c))) },
            { id: 'version', title: t('topic.text_version'), cell: (x) => <Tag>{t('topic.version', { n: x.text_version })}</Tag> },
            {
              id: 'more',
              title: '',
              num: true,
              cell: (x) =>
                write ? (
                  <Group gap="xs" justify="flex-end" wrap="nowrap">
                    {x.archived ? null : (
                      <Button size="compact-sm" onClick={() => setEditing(x)}>
                        {t('action.edit')}
                      </Button>
                    )}
                    <Button size="compact-sm" onClick={() => archive(x, !x.archived)}>
                      {t(x.archived ? 'action.restore' : 'action.archive')}
                    </Button>
                  </Group>
                ) : null,
            },
          ]}
          empty={<EmptyState title={t('topic.empty')} />}
        />
      </Card>
      <Sheet title={t(editing === 'new' ? 'topic.new' : 'topic.edit')} opened={editing !== null} onClose={() => setEditing(null)}>
        {editing ? <TopicForm topic={editing === 'new' ? undefined : editing} onDone={() => setEditing(null)} /> : null}
      </Sheet>
    </SettingsSection>
  )
}

function TopicForm({ topic, onDone }: { topic: Topic | undefined; onDone: () => void }) {
  const t = useT()
  const channels = useRead('/api/v1/channels', {})
  const templates = useList('/api/v1/templates', {}, { size: 500 })
  const create = useSend('post', '/api/v1/topics', live)
  const update = useSend('put', '/api/v1/topics/{id}', live)
  const form = useForm({
    initial: {
      name: topic?.name ?? '',
      description: topic?.description ?? '',
      channels: topic?.channels ?? ['email'],
      opt_in: topic?.opt_in ?? ('explicit' as Topic['opt_in']),
      confirmation_template: topic?.confirmation_template ?? '',
    },
    follow: topic !== undefined,
    save: async (v) => {
      const { confirmation_template: confirmation, ...rest } = v
      const body = { ...rest, ...(v.opt_in === 'double' && confirmation ? { confirmation_template: confirmation } : {}) }
      await (topic ? update.mutateAsync({ path: { id: topic.id }, body }) : create.mutateAsync({ body }))
    },
    onDone,
  })
  const kinds = [...new Set([...(channels.data?.items ?? []).map((c) => c.kind), ...(topic?.channels ?? [])])]
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onDone}>
      <TextInput
        label={t('field.name')}
        description={t('topic.name_help')}
        required
        maxLength={200}
        data-autofocus
        {...form.getInputProps('name')}
      />
      <Textarea
        label={t('field.description')}
        description={topic ? t('topic.words_help', { n: topic.text_version }) : t('topic.description_help')}
        autosize
        minRows={2}
        maxLength={2000}
        {...form.getInputProps('description')}
      />
      <Checkbox.Group label={t('figure.channels')} required {...form.getInputProps('channels')}>
        <Group gap="sm" mt="xs">
          {kinds.map((k) => (
            <Checkbox key={k} value={k} label={word('channel', k)} />
          ))}
        </Group>
      </Checkbox.Group>
      <Radio.Group label={t('topic.opt_in')} required {...form.getInputProps('opt_in')}>
        <Stack gap="sm" mt="xs">
          {optIns.map((o) => (
            <Radio key={o} value={o} label={t(`opt_in.${o}`)} description={t(`opt_in.${o}_help`)} />
          ))}
        </Stack>
      </Radio.Group>
      {form.getValues().opt_in === 'double' ? (
        <Select
          label={t('topic.confirmation')}
          description={t('topic.confirmation_help')}
          searchable
          clearable
          placeholder={t('topic.own_words')}
          data={templates.items.map((x) => ({ value: x.id, label: x.name }))}
          {...form.getInputProps('confirmation_template')}
        />
      ) : null}
    </FormBody>
  )
}
