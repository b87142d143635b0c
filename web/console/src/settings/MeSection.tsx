import { type Schemas, useRead, useSend } from '@/api'
import { useSession } from '@/app/session'
import { useT } from '@/i18n'
import {
  Ago,
  Button,
  Card,
  DataTable,
  Definition,
  FormBody,
  Loaded,
  Note,
  PasswordInput,
  SimpleGrid,
  Tag,
  Time,
  toast,
  toastError,
  useForm,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

export default function MeSection() {
  const t = useT()
  const session = useSession()
  return (
    <SettingsSection id="me">
      <Card title={t('me.title')}>
        <Definition
          items={[
            [t('field.name'), session.user.name],
            [t('members.role'), t(`role.${session.role || 'key'}`)],
            [t('members.may'), session.role ? t(`role_help.${session.role}`) : ''],
          ]}
        />
      </Card>
      <Password />
      <Sessions />
    </SettingsSection>
  )
}

function Password() {
  const t = useT()
  const change = useSend('post', '/api/v1/session/password', { refresh: ['/api/v1/sessions'] })
  const form = useForm({
    initial: { current_password: '', new_password: '' },
    save: (v) => change.mutateAsync({ body: v }),
    names: { password: 'new_password' },
    onDone: () => {
      form.reset()
      toast(t('me.password_changed'))
    },
  })
  return (
    <Card title={t('me.password')} help={t('me.password_help')}>
      <FormBody form={form} action={t('me.password_change')}>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <PasswordInput
            label={t('me.current_password')}
            autoComplete="current-password"
            required
            {...form.getInputProps('current_password')}
          />
          <PasswordInput label={t('me.new_password')} autoComplete="new-password" required {...form.getInputProps('new_password')} />
        </SimpleGrid>
      </FormBody>
    </Card>
  )
}

/** "Firefox, Linux": what of a user agent tells one browser from another. */
export function browserName(agent: string): string {
  const find = (list: [string, RegExp][]) => list.find(([, re]) => re.test(agent))?.[0]
  const browser = find([
    ['Edge', /Edg\//],
    ['Opera', /OPR\//],
    ['Firefox', /Firefox\/|FxiOS\//],
    ['Chrome', /Chrom(e|ium)\/|CriOS\//],
    ['Safari', /Safari\//],
  ])
  const system = find([
    ['iOS', /iPhone|iPad/],
    ['Android', /Android/],
    ['Windows', /Windows/],
    ['macOS', /Mac OS X/],
    ['ChromeOS', /CrOS/],
    ['Linux', /Linux/],
  ])
  return [browser, system].filter(Boolean).join(', ') || agent.slice(0, 60)
}

function Sessions() {
  const t = useT()
  const sessions = useRead('/api/v1/sessions', {})
  const end = useSend('delete', '/api/v1/sessions/{id}', { refresh: ['/api/v1/sessions'] })
  const stop = (s: Schemas['OpenSession']) => end.mutate({ path: { id: s.id } }, { onError: toastError })
  return (
    <Card title={t('me.sessions')} help={t('me.sessions_help')} flush>
      <Loaded of={sessions}>
        {(d) => (
          <DataTable
            bare
            plain
            name="sessions"
            label={t('me.sessions')}
            rows={d.items ?? []}
            rowId={(s) => s.id}
            columns={[
              {
                id: 'browser',
                title: t('me.browser'),
                cell: (s) => (
                  <>
                    <span title={s.user_agent}>{browserName(s.user_agent)}</span>{' '}
                    {s.current ? <Tag tone="accent">{t('me.this')}</Tag> : null}
                    <div>
                      <Note>{s.ip}</Note>
                    </div>
                  </>
                ),
              },
              { id: 'since', title: t('me.since'), cell: (s) => <Time at={s.created_at} /> },
              { id: 'seen', title: t('settings.last_used'), cell: (s) => <Ago at={s.last_seen} /> },
              {
                id: 'end',
                title: '',
                num: true,
                cell: (s) =>
                  s.current ? null : (
                    <Button size="compact-sm" loading={end.isPending && end.variables?.path.id === s.id} onClick={() => stop(s)}>
                      {t('nav.sign_out')}
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  )
}
