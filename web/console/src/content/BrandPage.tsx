import { Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { call, type Schemas, useList, useRead, useSend } from '@/api'
import { ClashNotice } from '@/app/ClashNotice'
import { DraftNotice, draftState } from '@/app/Unsaved'
import { useCan } from '@/app/session'
import { formatLanguage, formatNumber, useT, word } from '@/i18n'
import { editedForm, useEditing } from '@/lib/editing'
import {
  Alert,
  Button,
  Card,
  ColorInput,
  confirm,
  DetailPage,
  ErrorState,
  type Form,
  FormBody,
  Group,
  HeadActions,
  IconButton,
  Loaded,
  LoadingState,
  Note,
  NumberInput,
  Pill,
  Select,
  Sheet,
  SimpleGrid,
  Stack,
  TagsInput,
  Tag,
  Textarea,
  TextInput,
  Time,
  toast,
  useForm,
} from '@/ui'
import css from './content.module.css'
import { differencesOf } from './compare'
import { ContentTabs } from './ContentTabs'
import { contrasts, type Palette } from './contrast'

type Kit = Schemas['BrandKit']
type Brand = Schemas['Brand']

const colours = ['page', 'surface', 'subtle', 'text', 'muted', 'accent', 'on_accent', 'border'] as const
const families = ['sans', 'serif', 'rounded', 'mono']

/** How the workspace looks and speaks. */
export default function BrandPage() {
  const t = useT()
  const kit = useRead('/api/v1/brand', {})
  return (
    <DetailPage title={t('brand.title')} lead={t('brand.lead')} tabs={<ContentTabs current="brand" />} room>
      <Loaded of={kit}>{(k) => <Inputs kit={k} />}</Loaded>
      <Revisions />
    </DetailPage>
  )
}

/** Absent parts as empty ones, so that every input has something to hold. */
const whole = (b: Brand): Brand => ({
  ...b,
  locales: b.locales ?? [],
  social: b.social ?? [],
  logo: { url: '', dark_url: '', link: '', width: 0, ...b.logo },
  footer: { company: '', address: '', ...b.footer, notes: b.footer.notes ?? {}, links: b.footer.links ?? [] },
  voice: { character: '', tone: '', ...b.voice, do: b.voice.do ?? [], dont: b.voice.dont ?? [] },
})

function Inputs({ kit }: { kit: Kit }) {
  const t = useT()
  const write = useCan()('content.write')
  const put = useSend('put', '/api/v1/brand', { refresh: ['/api/v1/brand', '/api/v1/templates'] })
  const form = useForm<Brand>({
    initial: whole(kit.brand),
    save: async (brand) => {
      const notes = Object.fromEntries(Object.entries(brand.footer.notes ?? {}).filter(([, v]) => v.trim()))
      await edit.save((base) => put.mutateAsync({ body: { brand: { ...brand, footer: { ...brand.footer, notes } }, base } }))
    },
    names: {},
    onDone: () => toast(t('brand.saved')),
  })
  const b = form.getValues()
  const edit = useEditing({
    ...editedForm(form),
    kind: 'brand',
    id: write ? 'brand' : undefined,
    revision: kit.revision,
    there: kit,
    stale: 'content.brand.stale',
    read: () => call('get', '/api/v1/brand', {}),
    from: (saved: Kit) => whole(saved.brand),
  })
  const fonts = families.map((f) => ({ value: f, label: word('brand.font', f) }))
  return (
    <fieldset disabled={!write} className={css.bare}>
      <FormBody form={form} action={t('action.save')} note={draftState(edit.unsaved)}>
        <DraftNotice of={edit.unsaved} />
        {edit.clash ? (
          <ClashNotice
            of={edit.clash}
            differences={differencesOf(whole(edit.clash.theirs.brand), b)}
            onTheirs={edit.takeTheirs}
            onMine={edit.saveOver}
          />
        ) : null}
        {kit.warnings.map((w) =>
          w.code === 'contrast' ? null : (
            <Alert key={w.code} color="warning">
              {t(`brand.warning.${w.code}`)}
            </Alert>
          ),
        )}
        <Card title={t('brand.who')}>
          <Stack gap="md">
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <TextInput label={t('brand.name')} description={t('brand.name_help')} maxLength={200} {...form.getInputProps('name')} />
              <TagsInput
                label={t('brand.locales')}
                description={t('brand.locales_help')}
                placeholder={form.values.locales?.length ? undefined : 'en, ja, zh-Hans'}
                renderPill={({ option, onRemove, disabled }) => (
                  <Pill withRemoveButton={!disabled} onRemove={onRemove}>
                    {formatLanguage(String(option.value))}
                  </Pill>
                )}
                {...form.getInputProps('locales')}
              />
              <TextInput
                label={t('brand.logo')}
                description={t('brand.logo_help')}
                type="url"
                placeholder="https://"
                {...form.getInputProps('logo.url')}
              />
              <TextInput
                label={t('brand.logo_dark')}
                description={t('brand.logo_dark_help')}
                type="url"
                placeholder="https://"
                {...form.getInputProps('logo.dark_url')}
              />
              <TextInput label={t('brand.logo_link')} type="url" placeholder="https://" {...form.getInputProps('logo.link')} />
              <NumberInput
                label={t('brand.logo_width')}
                placeholder="140"
                min={0}
                max={400}
                {...form.getInputProps('logo.width')}
                value={form.values.logo.width || ''}
                onChange={(n) => form.setFieldValue('logo.width', Number(n) || 0)}
              />
            </SimpleGrid>
          </Stack>
        </Card>
        <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
          <Scheme form={form} scheme="light" />
          <Scheme form={form} scheme="dark" />
        </SimpleGrid>
        <Card title={t('brand.type')}>
          <SimpleGrid cols={{ base: 1, sm: 3 }}>
            <Select label={t('brand.font_heading')} data={fonts} allowDeselect={false} {...form.getInputProps('fonts.heading')} />
            <Select label={t('brand.font_body')} data={fonts} allowDeselect={false} {...form.getInputProps('fonts.body')} />
            <NumberInput label={t('brand.radius')} min={0} max={32} {...form.getInputProps('radius')} />
          </SimpleGrid>
        </Card>
        <Card title={t('brand.footer')} help={t('brand.footer_help')}>
          <Stack gap="md">
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <TextInput label={t('brand.company')} maxLength={200} {...form.getInputProps('footer.company')} />
              <Textarea
                label={t('brand.address')}
                description={t('brand.address_help')}
                autosize
                minRows={2}
                {...form.getInputProps('footer.address')}
              />
            </SimpleGrid>
            {(b.locales ?? []).map((l) => (
              <Textarea
                key={l}
                label={t('brand.note', { language: formatLanguage(l) })}
                autosize
                minRows={1}
                {...form.getInputProps(`footer.notes.${l}`)}
                value={b.footer.notes?.[l] ?? ''}
              />
            ))}
            <Links form={form} at="footer.links" label={t('brand.links')} />
            <Links form={form} at="social" label={t('brand.social')} />
          </Stack>
        </Card>
        <Card title={t('brand.voice')} help={t('brand.voice_help')}>
          <Stack gap="md">
            <Textarea
              label={t('brand.character')}
              description={t('brand.character_help')}
              autosize
              minRows={2}
              {...form.getInputProps('voice.character')}
            />
            <Textarea
              label={t('brand.tone')}
              description={t('brand.tone_help')}
              autosize
              minRows={2}
              {...form.getInputProps('voice.tone')}
            />
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <TagsInput label={t('brand.do')} description={t('brand.do_help')} {...form.getInputProps('voice.do')} />
              <TagsInput label={t('brand.dont')} description={t('brand.dont_help')} {...form.getInputProps('voice.dont')} />
            </SimpleGrid>
          </Stack>
        </Card>
      </FormBody>
    </fieldset>
  )
}

function Scheme({ form, scheme }: { form: Form<Brand>; scheme: 'light' | 'dark' }) {
  const t = useT()
  const p = form.getValues()[scheme] as unknown as Palette
  const radius = form.getValues().radius
  return (
    <Card title={t(`brand.${scheme}`)}>
      <Stack gap="md">
        <div className={css.sample} style={{ background: p.page, borderColor: p.border }} aria-hidden>
          <div style={{ background: p.surface, borderRadius: radius }}>
            <b style={{ color: p.text }}>{form.getValues().name || t('brand.title')}</b>
            <span style={{ color: p.muted }}>{t('brand.sample')}</span>
            <span style={{ background: p.accent, color: p.on_accent, borderRadius: radius }}>{t('content.new.button')}</span>
          </div>
        </div>
        <SimpleGrid cols={2} spacing="sm">
          {colours.map((c) => (
            <ColorInput
              key={c}
              label={word('block.colour', c)}
              format="hex"
              withEyeDropper={false}
              {...form.getInputProps(`${scheme}.${c}`)}
            />
          ))}
        </SimpleGrid>
        <ul className={css.contrasts} aria-label={t('brand.contrast')} aria-live="polite">
          {contrasts(p).map((x) => (
            <li key={`${x.fg}.${x.bg}`}>
              <span className={css.swatch} style={{ background: p[x.bg], color: p[x.fg] }} aria-hidden>
                A
              </span>
              <span>{t('brand.on', { text: word('block.colour', x.fg), ground: word('block.colour', x.bg) })}</span>
              <Tag tone={x.ok ? 'success' : 'danger'}>
                {formatNumber(x.ratio)} {x.ok ? t('brand.readable') : t('brand.unreadable')}
              </Tag>
            </li>
          ))}
        </ul>
      </Stack>
    </Card>
  )
}

function Links({ form, at, label }: { form: Form<Brand>; at: 'footer.links' | 'social'; label: string }) {
  const t = useT()
  const b = form.getValues()
  const list = (at === 'social' ? b.social : b.footer.links) ?? []
  return (
    <div role="group" aria-label={label}>
      <div className={css.label}>{label}</div>
      <Stack gap="xs">
        {list.map((_, i) => (
          // oxlint-disable-next-line react/no-array-index-key
          <Group key={i} gap="xs" wrap="nowrap" className={css.link}>
            <TextInput
              flex={1}
              aria-label={t('brand.link_label')}
              placeholder={t('brand.link_label')}
              {...form.getInputProps(`${at}.${i}.label`)}
            />
            <TextInput
              flex={2}
              aria-label={t('brand.link_url')}
              placeholder="https://"
              type="url"
              {...form.getInputProps(`${at}.${i}.url`)}
            />
            <IconButton label={t('action.remove')} onClick={() => form.removeListItem(at, i)}>
              <Trash2 size={15} />
            </IconButton>
          </Group>
        ))}
        <Group>
          <Button
            size="xs"
            variant="subtle"
            leftSection={<Plus size={14} />}
            onClick={() => form.insertListItem(at, { label: '', url: '' })}
          >
            {t('content.add_item')}
          </Button>
        </Group>
      </Stack>
    </div>
  )
}

function Revisions() {
  const t = useT()
  const [shown, setShown] = useState(false)
  const write = useCan()('content.write')
  const kit = useRead('/api/v1/brand', {})
  const revisions = useList('/api/v1/brand/revisions', {}, { enabled: shown })
  const put = useSend('put', '/api/v1/brand', { refresh: ['/api/v1/brand', '/api/v1/templates'] })
  return (
    <>
      <HeadActions>
        <Button onClick={() => setShown(true)}>{t('content.versions')}</Button>
      </HeadActions>
      <Sheet title={t('content.versions')} opened={shown} onClose={() => setShown(false)}>
        <Note>{t('brand.revisions_help')}</Note>
        {revisions.loading ? <LoadingState rows={4} /> : null}
        {revisions.error ? <ErrorState error={revisions.error} onRetry={revisions.reload} /> : null}
        <ul className={css.plainList}>
          {revisions.items.map((r) => (
            <li key={r.revision}>
              <span>{t('brand.revision', { n: formatNumber(r.revision) })}</span>
              <Time at={r.saved_at} />
              <span className={css.swatches} aria-hidden>
                {colours.map((c) => (
                  <span key={c} className={css.swatch} style={{ background: r.brand.light[c] }} />
                ))}
              </span>
              {write && kit.data && r.revision !== kit.data.revision ? (
                <Button
                  size="compact-sm"
                  loading={put.isPending}
                  onClick={async () => {
                    if (
                      !(await confirm({
                        title: t('brand.revert', { n: formatNumber(r.revision) }),
                        text: t('brand.revert_text'),
                        action: t('content.revert'),
                      }))
                    )
                      return
                    await put.mutateAsync({ body: { brand: r.brand, base: kit.data.revision } })
                    setShown(false)
                    toast(t('brand.saved'))
                  }}
                >
                  {t('content.revert')}
                </Button>
              ) : null}
            </li>
          ))}
        </ul>
      </Sheet>
    </>
  )
}
