import { Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { describe, type Schemas, useRead, useSend } from '@/api'
import { useT } from '@/i18n'
import {
  Alert,
  Button,
  Card,
  FormBody,
  Group,
  IconButton,
  helpFirst,
  InputWrapper,
  Json,
  Loaded,
  Note,
  Select,
  Stack,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
  toast,
  useForm,
} from '@/ui'

type Rules = Schemas['PrivacyRules']
type Outcome = { taken: boolean; event: unknown }

const actions = ['drop', 'hash', 'mask', 'encrypt'] as const
const sample = `{
  "type": "identify",
  "properties": { "email": "ann@example.com", "birth_date": "1990-05-12" },
  "context": { "ip": "203.0.113.7", "consent": { "categoryPreferences": { "analytics": true } } }
}`

/** What intake keeps of events: fields that are left out or hidden, and the consent that events must carry. */
export function IntakeRules() {
  const t = useT()
  const got = useRead('/api/v1/privacy-rules', {})
  return (
    <Card title={t('privacy.rules')} help={t('privacy.rules_help')}>
      <Loaded of={got}>{(rules) => <Edit rules={rules} />}</Loaded>
    </Card>
  )
}

function Edit({ rules }: { rules: Rules }) {
  const t = useT()
  const save = useSend('put', '/api/v1/privacy-rules', { refresh: ['/api/v1/privacy-rules'] })
  const form = useForm<Rules>({
    initial: {
      fields: rules.fields ?? [],
      consent: rules.consent ?? [],
      send: rules.send ?? [],
      forward: rules.forward ?? [],
      unasked: rules.consent?.length ? rules.unasked : true,
    },
    follow: true,
    save: (v) => save.mutateAsync({ body: v }),
    onDone: () => toast(t('privacy.rules_saved')),
  })
  const { fields, consent } = form.getValues()
  const all = fields ?? []
  return (
    <Stack>
      <FormBody form={form} action={t('action.save')} onCancel={() => form.reset()}>
        <InputWrapper label={t('privacy.fields')} description={t('privacy.fields_help')} labelElement="div" inputWrapperOrder={helpFirst}>
          <Stack gap="xs" mt={4}>
            {all.length === 0 ? <Note>{t('privacy.field_none')}</Note> : null}
            {all.map((_, i) => (
              // oxlint-disable-next-line react/no-array-index-key -- fields have no name of their own yet
              <Group key={i} gap="xs" align="flex-start">
                <TextInput
                  aria-label={t('privacy.field_path')}
                  placeholder="traits.birth_date"
                  flex={2}
                  miw={152}
                  {...form.getInputProps(`fields.${i}.path`)}
                />
                <Select
                  aria-label={t('privacy.field_action')}
                  flex={1}
                  miw={140}
                  allowDeselect={false}
                  data={actions.map((a) => ({ value: a, label: t(`privacy.action_${a}`) }))}
                  {...form.getInputProps(`fields.${i}.action`)}
                />
                <IconButton label={t('action.remove')} variant="subtle" mt={4} onClick={() => form.removeListItem('fields', i)}>
                  <Trash2 size={15} />
                </IconButton>
              </Group>
            ))}
            <Group>
              <Button
                size="xs"
                variant="subtle"
                leftSection={<Plus size={14} />}
                onClick={() => form.insertListItem('fields', { path: '', action: 'drop' })}
              >
                {t('privacy.field_add')}
              </Button>
            </Group>
          </Stack>
        </InputWrapper>
        <InputWrapper label={t('privacy.uses')} description={t('privacy.uses_help')} labelElement="div" />
        <TagsInput label={t('privacy.consent')} description={t('privacy.consent_help')} {...form.getInputProps('consent')} />
        {consent?.length ? (
          <Switch
            label={t('privacy.unasked')}
            description={t('privacy.unasked_help')}
            {...form.getInputProps('unasked', { type: 'checkbox' })}
          />
        ) : null}
        <TagsInput label={t('privacy.send')} description={t('privacy.send_help')} {...form.getInputProps('send')} />
        <TagsInput label={t('privacy.forward')} description={t('privacy.forward_help')} {...form.getInputProps('forward')} />
      </FormBody>
      <Try rules={form.getValues()} />
    </Stack>
  )
}

/** Shows what the rules as they stand in the form would leave of an event, before they are saved. */
function Try({ rules }: { rules: Rules }) {
  const t = useT()
  const ask = useSend('post', '/api/v1/privacy-rules/try')
  const [text, setText] = useState(sample)
  const [fault, setFault] = useState('')
  const [outcome, setOutcome] = useState<Outcome | null>(null)
  const run = async () => {
    setOutcome(null)
    setFault('')
    let event: unknown
    try {
      event = JSON.parse(text)
    } catch {
      return setFault(t('privacy.try_json'))
    }
    try {
      setOutcome(await ask.mutateAsync({ body: { rules, event: event as never } }))
    } catch (err) {
      setFault(describe(err))
    }
  }
  return (
    <Stack gap="xs" align="stretch">
      <Textarea
        label={t('privacy.try_event')}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
        autosize
        minRows={4}
        error={fault || undefined}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }}
      />
      <Group>
        <Button loading={ask.isPending} onClick={() => void run()}>
          {t('privacy.try')}
        </Button>
      </Group>
      {outcome?.taken ? (
        <Alert color="gray" title={t('privacy.try_kept')}>
          <Json value={outcome.event} />
        </Alert>
      ) : null}
      {outcome && !outcome.taken ? <Alert>{t('privacy.try_refused')}</Alert> : null}
    </Stack>
  )
}
