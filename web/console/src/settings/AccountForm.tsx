import { type Schemas, useSend } from '@/api'
import { useT } from '@/i18n'
import {
  Accordion,
  Alert,
  Checkbox,
  FormBody,
  NumberInput,
  type Schema,
  SchemaForm,
  SimpleGrid,
  TextInput,
  useForm,
  type Values,
} from '@/ui'

type Account = Schemas['Account']

const main = ['host', 'port', 'security', 'username', 'password'] // what nearly every mail server needs; the rest is folded away

/** An account as it is written: what PUT takes, made of what GET gives. Secrets that are left out stay. */
export function draftOf(a: Account): Schemas['AccountDraft'] {
  const { id: _, status, secrets_set: __, ...rest } = a
  return { ...rest, config: a.config as Record<string, unknown>, disabled: status === 'disabled' }
}

interface Props {
  channel: Schemas['ChannelKind']
  account?: Account
  first?: boolean
  onDone: (a: Account) => void
  onCancel?: () => void
}

/** Who sends and by which server. The inputs of the server come from the channel's schema. */
export function AccountForm({ channel, account, first, onDone, onCancel }: Props) {
  const t = useT()
  const live = { refresh: ['/api/v1/accounts'] }
  const create = useSend('post', '/api/v1/accounts', live)
  const update = useSend('put', '/api/v1/accounts/{id}', live)
  const schema = channel.config_schema as Schema & { 'x-order'?: string[] }
  const names = schema['x-order'] ?? Object.keys(schema.properties ?? {})
  const known = names.some((n) => n === 'host')
  const shown = known ? main : names
  const rest = names.filter((n) => !shown.includes(n))
  const form = useForm({
    initial: {
      name: account?.name ?? '',
      from_name: account?.from_name ?? '',
      from_address: account?.from_address ?? '',
      reply_to: account?.reply_to ?? '',
      rate_per_second: (account?.rate_per_second ?? '') as number | string,
      connections: (account?.connections ?? '') as number | string,
      default: account?.default ?? first ?? false,
      // Every name is there from the start, so that a fault of the server finds its input.
      config: {
        ...Object.fromEntries(names.map((n) => [n, undefined])),
        ...(account ? (account.config as Values) : known ? { port: 587, security: 'required' } : {}),
      } as Values,
    },
    follow: account !== undefined,
    revision: account?.revision,
    names: Object.fromEntries(names.map((n) => [n, `config.${n}`])), // the channel knows its inputs without where they stand
    save: async (v, revision) => {
      const body = {
        ...(account ? { ...draftOf(account), revision } : { kind: channel.kind }),
        ...v,
        rate_per_second: Number(v.rate_per_second) || 0,
        connections: Number(v.connections) || 0,
        config: JSON.parse(JSON.stringify(v.config)) as Record<string, unknown>,
      }
      return await (account ? update.mutateAsync({ path: { id: account.id }, body }) : create.mutateAsync({ body }))
    },
    onDone,
  })
  const inputs = {
    schema,
    values: form.getValues().config,
    onChange: (config: Values) => form.setFieldValue('config', { ...Object.fromEntries(names.map((n) => [n, undefined])), ...config }),
    errors: form.errors,
    prefix: 'account',
    at: 'config',
  }
  const { security } = form.getValues().config
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onCancel}>
      <TextInput label={t('field.name')} description={t('account.name_help')} required {...form.getInputProps('name')} />
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextInput label={t('account.from_name')} {...form.getInputProps('from_name')} />
        <TextInput label={t('account.from_address')} type="email" required {...form.getInputProps('from_address')} />
      </SimpleGrid>
      <SchemaForm {...inputs} only={shown} />
      {account?.secrets_set?.length ? <Alert color="gray">{t('account.secret_kept')}</Alert> : null}
      {security === 'none' || security === 'opportunistic' ? <Alert color="warning">{t('account.security_weak')}</Alert> : null}
      <Checkbox
        label={t('account.make_default')}
        description={t('account.make_default_help')}
        {...form.getInputProps('default', { type: 'checkbox' })}
      />
      <Accordion variant="contained">
        <Accordion.Item value="more">
          <Accordion.Control>{t('settings.more')}</Accordion.Control>
          <Accordion.Panel>
            <SimpleGrid cols={{ base: 1, sm: 2 }} mb="md">
              <TextInput label={t('workspace.reply_to')} type="email" {...form.getInputProps('reply_to')} />
              <NumberInput
                label={t('account.rate_per_second')}
                description={t('account.rate_per_second_help')}
                min={0}
                {...form.getInputProps('rate_per_second')}
              />
              <NumberInput
                label={t('account.connections')}
                description={t('account.connections_help')}
                min={0}
                max={100}
                {...form.getInputProps('connections')}
              />
            </SimpleGrid>
            <SchemaForm {...inputs} only={rest} />
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </FormBody>
  )
}
