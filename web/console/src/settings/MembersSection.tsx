import { useState } from 'react'
import { type Schemas, useList, useSend } from '@/api'
import { useCan, useSession } from '@/app/session'
import { language, languages, useT, word } from '@/i18n'
import { forGood, useBulk } from '@/jobs/useBulk'
import { useFile } from '@/jobs/useFile'
import { useShortcuts } from '@/lib/keys'
import { useUrlState } from '@/lib/route'
import {
  Ago,
  Alert,
  Button,
  Card,
  confirm,
  CopyText,
  Definition,
  EmptyState,
  FilterBar,
  FilterChip,
  FormBody,
  Group,
  ListTable,
  Note,
  Radio,
  SavedViews,
  SearchBox,
  Select,
  Sheet,
  Stack,
  Status,
  Text,
  TextInput,
  ThingActs,
  toast,
  toastError,
  useForm,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

type Member = Schemas['Member']
type Role = Member['role']

const roles: Role[] = ['owner', 'admin', 'marketer', 'agent', 'analyst', 'viewer']
const none = { q: '', role: '' }
const live = { refresh: ['/api/v1/staff'] }

/** The address at which a colleague sets a password. The token stands behind #, which browsers never send to a server. */
const linkOf = (token: string) => `${location.origin}/join#${token}`

export default function MembersSection() {
  const t = useT()
  const session = useSession()
  const can = useCan()
  const write = can('staff.write')
  const [inviting, setInviting] = useState(false)
  useShortcuts(write ? [{ keys: 'n', label: t('members.invite'), run: () => setInviting(true) }] : [])
  const [changing, setChanging] = useState<Member | null>(null)
  const [link, setLink] = useState<{ name: string; url: string } | null>(null)
  const [filter, setFilter] = useUrlState(none)
  const query = { q: filter.q || undefined, role: (filter.role || undefined) as Role | undefined }
  const members = useList('/api/v1/staff', { query })
  const file = useFile('staff', query)
  const choices = roles.filter((r) => r !== 'owner' || can('owners.write')).map((value) => ({ value, label: t(`role.${value}`) }))
  const bulk = useBulk({
    acts: write
      ? [
          { act: 'member_role', label: t('members.change_role'), choices },
          forGood('member_remove', t('members.remove'), t('bulk_sure.member_remove_help')),
        ]
      : [],
    query,
    lists: live.refresh,
    without: { id: session.user.id, note: t('members.bulk_self') },
  })
  const active = filter.q !== '' || filter.role !== ''
  const reset = useSend('post', '/api/v1/staff/{id}/reset')
  const remove = useSend('delete', '/api/v1/staff/{id}', live)
  // An owner may be touched by owners only; the server says so too.
  const touchable = (m: Member) => write && m.id !== session.user.id && (m.role !== 'owner' || can('owners.write'))
  const makeLink = (m: Member) =>
    reset.mutate(
      { path: { id: m.id } },
      { onSuccess: (a) => setLink({ name: m.name || m.email, url: linkOf(a.token) }), onError: toastError },
    )
  const end = async (m: Member) => {
    const name = m.name || m.email
    if (
      await confirm({
        title: t('members.remove_title', { name }),
        text: t('members.remove_text'),
        action: t('action.remove'),
        danger: true,
      })
    )
      remove.mutate({ path: { id: m.id } }, { onSuccess: () => toast(t('members.removed', { name })), onError: toastError })
  }
  return (
    <SettingsSection
      id="members"
      actions={
        write ? (
          <Button variant="filled" onClick={() => setInviting(true)}>
            {t('members.invite')}
          </Button>
        ) : null
      }
    >
      {link ? (
        <Alert
          color="success"
          title={t('members.link_for', { name: link.name })}
          withCloseButton
          closeButtonLabel={t('action.close')}
          onClose={() => setLink(null)}
        >
          <Stack gap="xs">
            <Text size="sm">{t('members.link_help')}</Text>
            <CopyText value={link.url} block />
          </Stack>
        </Alert>
      ) : null}
      <SavedViews list="members" state={filter} defaults={none} onApply={setFilter} />
      <FilterBar active={active} onClear={() => setFilter(none)}>
        <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('members.search')} />
        <FilterChip
          label={t('members.role')}
          value={filter.role}
          choices={roles.map((value) => ({ value, label: t(`role.${value}`) }))}
          onChange={(role) => setFilter({ role })}
        />
      </FilterBar>
      <Card flush>
        <ListTable
          bare
          name="members"
          people
          label={t('settings.section.members')}
          of={members}
          rowId={(m) => m.id}
          {...bulk}
          file={file}
          filtered={active}
          onClearFilters={() => setFilter(none)}
          columns={[
            {
              id: 'name',
              title: t('field.name'),
              cell: (m) => (
                <>
                  {m.name || m.email} {m.id === session.user.id ? <Note>{t('members.you')}</Note> : null}
                  {m.name && m.name !== m.email ? (
                    <div>
                      <Note>{m.email}</Note>
                    </div>
                  ) : null}
                </>
              ),
              text: (m) => m.name || m.email,
            },
            { id: 'email', title: t('field.email'), optional: true, cell: (m) => m.email, text: (m) => m.email },
            { id: 'role', title: t('members.role'), cell: (m) => t(`role.${m.role}`), text: (m) => m.role },
            {
              id: 'seen',
              title: t('members.last_sign_in'),
              cell: (m) => (m.last_sign_in ? <Ago at={m.last_sign_in} /> : <Status value="invited" tone="warning" />),
              text: (m) => m.last_sign_in,
              field: 'last_sign_in',
            },
            {
              id: 'more',
              title: '',
              num: true,
              cell: (m) =>
                touchable(m) ? (
                  <ThingActs
                    name={m.name || m.email}
                    acts={[
                      { label: t('members.change_role'), run: () => setChanging(m) },
                      { label: t(m.last_sign_in ? 'members.reset' : 'members.new_link'), run: () => makeLink(m) },
                      { label: t('members.remove'), red: true, run: () => void end(m) },
                    ]}
                  />
                ) : null,
            },
          ]}
          empty={<EmptyState title={t('state.empty')} />}
        />
      </Card>
      <Card title={t('members.roles')} help={t('members.roles_help')}>
        <Definition items={roles.map((r) => [t(`role.${r}`), t(`role_help.${r}`)])} />
      </Card>
      <Sheet title={t('members.invite')} opened={inviting} onClose={() => setInviting(false)}>
        <Invite
          onCancel={() => setInviting(false)}
          onDone={(m, token) => {
            setInviting(false)
            if (token) setLink({ name: m.name || m.email, url: linkOf(token) })
            else toast(t('members.added', { name: m.name || m.email }))
          }}
        />
      </Sheet>
      <Sheet title={t('members.change_role')} opened={changing !== null} onClose={() => setChanging(null)}>
        {changing ? <ChangeRole member={changing} onDone={() => setChanging(null)} /> : null}
      </Sheet>
    </SettingsSection>
  )
}

function RoleChoice(p: { value?: string; onChange?: (v: string) => void; error?: React.ReactNode }) {
  const t = useT()
  const can = useCan()
  return (
    <Radio.Group label={t('members.role')} value={p.value} onChange={p.onChange} error={p.error} required>
      <Stack gap="sm" mt="xs">
        {roles
          .filter((r) => r !== 'owner' || can('owners.write'))
          .map((r) => (
            <Radio key={r} value={r} label={t(`role.${r}`)} description={t(`role_help.${r}`)} />
          ))}
      </Stack>
    </Radio.Group>
  )
}

function Invite({ onDone, onCancel }: { onDone: (m: Member, token: string) => void; onCancel: () => void }) {
  const t = useT()
  const invite = useSend('post', '/api/v1/staff', live)
  const form = useForm({
    initial: { email: '', name: '', role: 'marketer' as Role, locale: language() as string },
    save: async (v) => {
      const a = await invite.mutateAsync({ body: v })
      onDone(a.member, a.token ?? '')
    },
  })
  return (
    <FormBody form={form} action={t('members.invite')} onCancel={onCancel}>
      <TextInput label={t('field.email')} type="email" required data-autofocus {...form.getInputProps('email')} />
      <TextInput label={t('field.name')} maxLength={200} {...form.getInputProps('name')} />
      <Select
        label={t('nav.language')}
        allowDeselect={false}
        data={languages.map((l) => ({ value: l.code, label: l.name }))}
        {...form.getInputProps('locale')}
      />
      <RoleChoice {...form.getInputProps('role')} />
    </FormBody>
  )
}

function ChangeRole({ member: m, onDone }: { member: Member; onDone: () => void }) {
  const t = useT()
  const set = useSend('put', '/api/v1/staff/{id}/role', live)
  const form = useForm({
    initial: { role: m.role },
    follow: true,
    save: (v) => set.mutateAsync({ path: { id: m.id }, body: v }),
    onDone: () => {
      toast(t('members.role_now', { name: m.name || m.email, role: word('role', form.getValues().role) }))
      onDone()
    },
  })
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onDone}>
      <Group>
        <Text fw={600}>{m.name || m.email}</Text>
      </Group>
      <RoleChoice {...form.getInputProps('role')} />
    </FormBody>
  )
}
