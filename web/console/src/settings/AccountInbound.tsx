import { useState } from 'react'
import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, useT, word } from '@/i18n'
import {
  Ago,
  Alert,
  Button,
  Card,
  confirm,
  CopyText,
  DataTable,
  EmptyState,
  FormBody,
  Group,
  Loaded,
  Note,
  NumberInput,
  PasswordInput,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Status,
  Switch,
  Text,
  TextInput,
  toast,
  toastError,
  useForm,
  DangerButton,
} from '@/ui'

type Inbound = Schemas['InboundStatus']

/** How bounces, complaints and answers to an account's messages come back. */
export function InboundTab({ account: a }: { account: Schemas['Account'] }) {
  const t = useT()
  const inbound = useRead('/api/v1/accounts/{id}/inbound', { path: { id: a.id } })
  return (
    <Loaded of={inbound}>
      {(i) => (
        <>
          <Way id={a.id} inbound={i} />
          {i.provider ? <Hook id={a.id} inbound={i} /> : null}
          <Card title={t('inbound.taken')} help={t('inbound.taken_help')} flush>
            <DataTable
              bare
              plain
              name="taken"
              label={t('inbound.taken')}
              rows={Object.entries(i.taken).map(([what, n]) => ({ what, n }))}
              rowId={(r) => r.what}
              columns={[
                { id: 'what', title: t('inbound.became'), cell: (r) => word('inbound.outcome', r.what) },
                { id: 'n', title: t('field.count'), num: true, cell: (r) => formatNumber(r.n) },
              ]}
              empty={<EmptyState title={t('inbound.nothing_taken')} />}
            />
          </Card>
        </>
      )}
    </Loaded>
  )
}

function Way({ id, inbound: i }: { id: string; inbound: Inbound }) {
  const t = useT()
  const write = useCan()('settings.write')
  const put = useSend('put', '/api/v1/accounts/{id}/inbound', { refresh: ['/api/v1/accounts'] })
  const m = i.mailbox
  const form = useForm({
    initial: {
      by: (m ? 'mailbox' : 'listener') as 'mailbox' | 'listener',
      address: i.address ?? '',
      replies: i.replies ?? false,
      strangers: i.strangers ?? false,
      mailbox: {
        host: m?.host ?? '',
        port: (m?.port || 993) as number | string,
        username: m?.username ?? '',
        password: '',
        folder: m?.folder ?? '',
        clear: m?.clear ?? false,
      },
      provider: (i.provider ?? '') as '' | NonNullable<Inbound['provider']>,
      topic: i.topic ?? '',
      verify_key: i.verify_key ?? '',
    },
    follow: true,
    save: (v) =>
      put.mutateAsync({
        path: { id },
        body: {
          address: v.address || undefined,
          replies: v.replies,
          strangers: v.strangers,
          ...(v.by === 'mailbox' && v.mailbox.host
            ? {
                mailbox: {
                  host: v.mailbox.host,
                  port: Number(v.mailbox.port) || undefined,
                  username: v.mailbox.username,
                  password: v.mailbox.password || undefined,
                  folder: v.mailbox.folder || undefined,
                  clear: v.mailbox.clear,
                },
              }
            : {}),
          ...(v.provider ? { provider: v.provider } : {}),
          topic: v.provider === 'ses' ? v.topic || undefined : undefined,
          verify_key: v.provider === 'sendgrid' ? v.verify_key || undefined : undefined,
        } as Schemas['Inbound'],
      }),
    onDone: () => toast(t('settings.saved')),
  })
  const v = form.getValues()
  const inputs = (
    <Stack gap="md">
      <TextInput
        label={t('inbound.address')}
        description={t('inbound.address_help')}
        placeholder="back@example.com"
        disabled={!write}
        {...form.getInputProps('address')}
      />
      <Switch
        label={t('inbound.replies')}
        description={t('inbound.replies_help')}
        disabled={!write}
        {...form.getInputProps('replies', { type: 'checkbox' })}
      />
      <Switch
        label={t('inbound.strangers')}
        description={t('inbound.strangers_help')}
        disabled={!write}
        {...form.getInputProps('strangers', { type: 'checkbox' })}
      />
      <div>
        <SegmentedControl
          aria-label={t('inbound.by')}
          disabled={!write}
          data={(['listener', 'mailbox'] as const).map((k) => ({ value: k, label: t(`inbound.by_${k}`) }))}
          {...form.getInputProps('by')}
        />
        <Text size="sm" mt="xs">
          {t(`inbound.by_${v.by}_help`)}
        </Text>
      </div>
      {v.by === 'mailbox' ? (
        <>
          {m ? (
            m.error ? (
              <Alert color="danger" title={t('inbound.not_read')}>
                {m.error} <Ago at={m.read_at} />
              </Alert>
            ) : m.read_at ? (
              <Group gap="xs">
                <Status value="ok" tone="success" />
                <Note>
                  {t('inbound.read_at')} <Ago at={m.read_at} />
                </Note>
              </Group>
            ) : null
          ) : null}
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextInput
              label={t('inbound.host')}
              placeholder="imap.example.com"
              required
              disabled={!write}
              {...form.getInputProps('mailbox.host')}
            />
            <NumberInput label={t('account.port')} min={0} max={65535} disabled={!write} {...form.getInputProps('mailbox.port')} />
            <TextInput label={t('account.username')} required disabled={!write} {...form.getInputProps('mailbox.username')} />
            <PasswordInput
              label={t('account.password')}
              placeholder={m?.password_set ? t('inbound.password_kept') : undefined}
              autoComplete="new-password"
              disabled={!write}
              {...form.getInputProps('mailbox.password')}
            />
            <TextInput label={t('inbound.folder')} placeholder="INBOX" disabled={!write} {...form.getInputProps('mailbox.folder')} />
          </SimpleGrid>
          <Switch
            label={t('inbound.clear')}
            description={t('inbound.clear_help')}
            disabled={!write}
            {...form.getInputProps('mailbox.clear', { type: 'checkbox' })}
          />
        </>
      ) : null}
      <Select
        label={t('inbound.provider')}
        description={t('inbound.provider_help')}
        allowDeselect={false}
        disabled={!write}
        data={[
          { value: '', label: t('inbound.no_provider') },
          { value: 'ses', label: 'Amazon SES' },
          { value: 'postmark', label: 'Postmark' },
          { value: 'sendgrid', label: 'SendGrid' },
        ]}
        {...form.getInputProps('provider')}
      />
      {v.provider === 'ses' ? (
        <TextInput
          label={t('inbound.topic')}
          description={t('inbound.topic_help')}
          placeholder="arn:aws:sns:eu-west-1:123456789012:bounces"
          disabled={!write}
          {...form.getInputProps('topic')}
        />
      ) : null}
      {v.provider === 'sendgrid' ? (
        <TextInput
          label={t('inbound.verify_key')}
          description={t('inbound.verify_key_help')}
          disabled={!write}
          {...form.getInputProps('verify_key')}
        />
      ) : null}
    </Stack>
  )
  return (
    <Card title={t('inbound.title')} help={t('inbound.help')}>
      {write ? (
        <FormBody form={form} action={t('action.save')}>
          {inputs}
        </FormBody>
      ) : (
        inputs
      )}
    </Card>
  )
}

function Hook({ id, inbound: i }: { id: string; inbound: Inbound }) {
  const t = useT()
  const write = useCan()('settings.write')
  const [url, setUrl] = useState('')
  const make = useSend('post', '/api/v1/accounts/{id}/inbound/hook', { refresh: ['/api/v1/accounts'] })
  const renew = async () => {
    if (
      i.hook_set &&
      !(await confirm({
        title: t('inbound.hook_again'),
        text: t('inbound.hook_again_text'),
        action: t('inbound.hook_again'),
        danger: true,
      }))
    )
      return
    make.mutate({ path: { id } }, { onSuccess: (a) => setUrl(a.url), onError: toastError })
  }
  return (
    <Card
      title={t('inbound.hook')}
      help={t('inbound.hook_help')}
      actions={
        write ? (
          i.hook_set ? (
            <DangerButton loading={make.isPending} onClick={() => void renew()}>
              {t('inbound.hook_again')}
            </DangerButton>
          ) : (
            <Button loading={make.isPending} onClick={() => void renew()}>
              {t('inbound.hook_make')}
            </Button>
          )
        ) : null
      }
    >
      {url ? (
        <Alert color="success" title={t('inbound.hook_once')}>
          <CopyText value={url} block />
        </Alert>
      ) : (
        <Text size="sm">{t(i.hook_set ? 'inbound.hook_set' : 'inbound.hook_none')}</Text>
      )}
    </Card>
  )
}
