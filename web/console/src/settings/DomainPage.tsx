import { KeyRound } from 'lucide-react'
import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { hasText, useT } from '@/i18n'
import { useParam } from '@/lib/route'
import {
  Accordion,
  Ago,
  Button,
  Card,
  confirm,
  CopyText,
  Definition,
  EmptyState,
  Group,
  Loaded,
  Menu,
  Note,
  Stack,
  Status,
  Switch,
  Tag,
  Text,
  toastError,
  type Tone,
  DangerButton,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

type Domain = Schemas['SendingDomain']
type Item = Schemas['DomainItem']

export const checkTone: Record<string, Tone> = {
  ok: 'success',
  warn: 'warning',
  fail: 'danger',
  unknown: 'gray',
  unchecked: 'gray',
  active: 'success',
  waiting: 'warning',
  retired: 'gray',
}
const kinds: Item['kind'][] = ['spf', 'dkim', 'dmarc', 'mx', 'ptr']
const live = { refresh: ['/api/v1/sending/domains'] }

/** The guided check of one sending domain: what is in order, what is not, and the record to publish. */
export default function DomainPage() {
  const id = useParam('id')
  const domain = useRead('/api/v1/sending/domains/{id}', { path: { id } })
  return <Loaded of={domain}>{(d) => <View domain={d} />}</Loaded>
}

function View({ domain: d }: { domain: Domain }) {
  const t = useT()
  const write = useCan()('settings.write')
  const check = useSend('post', '/api/v1/sending/domains/{id}/check', live)
  const sign = useSend('put', '/api/v1/sending/domains/{id}', live)
  const items = d.items ?? []
  return (
    <SettingsSection
      id="domains"
      thing={d.domain}
      status={<Status value={d.status} tone={checkTone[d.status]} />}
      actions={
        write ? (
          <Button variant="filled" loading={check.isPending} onClick={() => check.mutate({ path: { id: d.id } }, { onError: toastError })}>
            {t('domain.check')}
          </Button>
        ) : null
      }
    >
      <Card>
        <Stack gap="md">
          {d.checked_at ? (
            <Note>
              {t('domain.checked')} <Ago at={d.checked_at} />
            </Note>
          ) : null}
          <Switch
            label={t('domain.sign')}
            description={t('domain.sign_help')}
            disabled={!write || sign.isPending}
            checked={d.sign}
            onChange={(e) => sign.mutate({ path: { id: d.id }, body: { sign: e.currentTarget.checked } }, { onError: toastError })}
          />
        </Stack>
      </Card>
      {items.length > 0 ? (
        kinds
          .filter((k) => items.some((i) => i.kind === k))
          .map((k) => (
            <Card key={k} title={t(`domain.kind.${k}`)} help={t(`domain.kind_help.${k}`)}>
              <Stack gap="lg">
                {items
                  .filter((i) => i.kind === k)
                  .map((i) => (
                    <Check key={`${i.kind} ${i.about ?? ''}`} item={i} />
                  ))}
              </Stack>
            </Card>
          ))
      ) : (
        <Card>
          <EmptyState icon={KeyRound} title={t('domain.publish_first')} text={t('domain.publish_first_help')} />
        </Card>
      )}
      <Keys domain={d} />
    </SettingsSection>
  )
}

function Check({ item: i }: { item: Item }) {
  const t = useT()
  const found = i.found ?? []
  return (
    <Stack gap="xs">
      <Group gap="sm" align="center">
        <Status value={i.status} tone={checkTone[i.status]} />
        {i.about ? <Text fw={600}>{i.about}</Text> : null}
      </Group>
      <Text size="sm">{hasText(`domain_check.${i.code}`) ? t(`domain_check.${i.code}`, { host: '', ...i.data }) : i.code}</Text>
      {i.record ? <DnsRecord record={i.record} /> : null}
      {found.length > 0 ? (
        <Accordion variant="default">
          <Accordion.Item value="found">
            <Accordion.Control>{t('domain.found', { n: found.length })}</Accordion.Control>
            <Accordion.Panel>
              <Stack gap="xs">
                {found.map((f) => (
                  <CopyText key={f} value={f} block />
                ))}
              </Stack>
            </Accordion.Panel>
          </Accordion.Item>
        </Accordion>
      ) : null}
    </Stack>
  )
}

/** A record to publish, part by part, each to copy, and as a line of a zone file. */
function DnsRecord({ record: r }: { record: Schemas['DNSRecord'] }) {
  const t = useT()
  return (
    <Definition
      items={[
        [t('domain.record_type'), <Tag key="type">{r.type}</Tag>],
        [t('domain.record_name'), <CopyText key="name" value={r.name} />],
        [t('domain.record_value'), <CopyText key="value" value={r.value} block />],
        [t('domain.record_zone'), <CopyText key="zone" value={r.zone} block />],
      ]}
    />
  )
}

function Keys({ domain: d }: { domain: Domain }) {
  const t = useT()
  const write = useCan()('settings.write')
  const add = useSend('post', '/api/v1/sending/domains/{id}/keys', live)
  const remove = useSend('delete', '/api/v1/sending/domains/{id}/keys/{key}', live)
  const keys = d.keys ?? []
  const end = async (k: Schemas['DKIMKey']) => {
    if (await confirm({ title: t('domain.key_remove', { name: k.selector }), action: t('action.remove'), danger: true }))
      remove.mutate({ path: { id: d.id, key: k.id } }, { onError: toastError })
  }
  return (
    <Card
      title={t('domain.keys')}
      help={t('domain.keys_help')}
      actions={
        write ? (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button loading={add.isPending}>{t('domain.key_add')}</Button>
            </Menu.Target>
            <Menu.Dropdown>
              {(['rsa', 'ed25519'] as const).map((algorithm) => (
                <Menu.Item key={algorithm} onClick={() => add.mutate({ path: { id: d.id }, body: { algorithm } }, { onError: toastError })}>
                  {t(`domain.algorithm.${algorithm}`)}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        ) : null
      }
    >
      <Stack gap="lg">
        {keys.length === 0 ? <Text size="sm">{t('domain_check.dkim.no_key')}</Text> : null}
        {keys.map((k) => (
          <Stack key={k.id} gap="xs">
            <Group justify="space-between" wrap="nowrap">
              <Group gap="sm">
                <Tag tone={checkTone[k.status]}>{t(`dkim_status.${k.status}`)}</Tag>
                <Text fw={600}>{k.selector}</Text>
                <Tag>{t(`domain.algorithm.${k.algorithm}`)}</Tag>
              </Group>
              {write && k.status !== 'active' ? (
                <DangerButton size="compact-sm" flex="none" onClick={() => void end(k)}>
                  {t('action.remove')}
                </DangerButton>
              ) : null}
            </Group>
            <Note>
              {t(k.retired_at ? 'domain.key_retired' : k.active_at ? 'domain.key_active' : 'domain.key_made')}{' '}
              <Ago at={k.retired_at ?? k.active_at ?? k.created_at} />
            </Note>
            {k.status === 'waiting' && !d.items?.some((i) => i.kind === 'dkim' && i.about === k.selector && i.record) ? (
              <DnsRecord record={k.record} />
            ) : null}
          </Stack>
        ))}
      </Stack>
    </Card>
  )
}
