import { useState } from 'react'
import { type Schemas, useAll } from '@/api'
import type { Difference } from '@/app/ClashNotice'
import { PastVersions } from '@/app/PastVersions'
import { formatList, formatNumber, t as text, useT } from '@/i18n'
import {
  HeadActions,
  Button,
  Card,
  FileButton,
  FormBody,
  Group,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  TagsInput,
  Text,
  Textarea,
  TextInput,
  useForm,
} from '@/ui'
import { Face } from './Face'
import css from './personas.module.css'
import { squarePicture } from './picture'
import { placeChoices, placeCode, placeName } from './places'

export type PersonaDraft = Schemas['PersonaDraft']

const lines = (s: string) =>
  s
    .split('\n')
    .map((l) => l.trim())
    .filter(Boolean)
const lists = ['goals', 'needs', 'pains'] as const

/** A persona as the form holds it. */
function valuesOf(persona?: Schemas['Persona']) {
  return {
    name: persona?.name ?? '',
    role: persona?.role ?? '',
    colour: persona?.colour ?? 1,
    picture: persona?.picture ?? '',
    age_from: (persona?.age_to ? (persona.age_from ?? '') : '') as number | string,
    age_to: (persona?.age_to || '') as number | string,
    quote: persona?.quote ?? '',
    story: persona?.story ?? '',
    goals: (persona?.goals ?? []).join('\n'),
    needs: (persona?.needs ?? []).join('\n'),
    pains: (persona?.pains ?? []).join('\n'),
    words: persona?.words ?? [],
    channels: (persona?.channels ?? []).map(placeName),
    segment_id: (persona?.segment_id ?? null) as string | null,
  }
}

type Values = ReturnType<typeof valuesOf>

/** The inputs of which versions are kept, all but the picture: text of the label, and which it is. */
const inputs: [string, keyof Values][] = [
  ['field.name', 'name'],
  ['personas.role', 'role'],
  ['personas.colour', 'colour'],
  ['personas.age_from', 'age_from'],
  ['personas.age_to', 'age_to'],
  ['personas.quote', 'quote'],
  ['personas.story', 'story'],
  ['personas.goals', 'goals'],
  ['personas.needs', 'needs'],
  ['personas.pains', 'pains'],
  ['personas.channels', 'channels'],
  ['personas.words', 'words'],
  ['personas.segment', 'segment_id'],
]

function differences(t: ReturnType<typeof useT>, names: Map<string, string>, then: Values, now: Values): Difference[] {
  const shown = (v: Values, key: keyof Values): string => {
    const value = v[key]
    if (key === 'colour') return t('personas.colour_n', { n: v.colour })
    if (key === 'segment_id') return names.get(v.segment_id ?? '') ?? v.segment_id ?? ''
    return Array.isArray(value) ? formatList(value) : String(value ?? '')
  }
  return inputs
    .map(([label, key]) => ({ label: t(label), theirs: shown(then, key), mine: shown(now, key) }))
    .filter((d) => d.theirs !== d.mine)
}

/** What a team says about a persona. Lists are written one a line. */
export function PersonaForm({
  persona,
  save,
  onDone,
  onCancel,
}: {
  persona?: Schemas['Persona']
  /** Saves over that revision; 0 of a new one. */
  save: (draft: PersonaDraft, revision: number) => Promise<Schemas['Persona']>
  onDone: (saved: Schemas['Persona']) => void
  onCancel: () => void
}) {
  const t = useT()
  const [failed, setFailed] = useState(false)
  const segments = useAll('/api/v1/segments')
  const known = useAll('/api/v1/lists')
  const form = useForm({
    initial: valuesOf(persona),
    follow: persona !== undefined,
    revision: persona?.revision,
    onDone,
    save: (v, revision) =>
      save(
        {
          name: v.name,
          role: v.role || undefined,
          colour: v.colour,
          picture: v.picture === (persona?.picture ?? '') ? undefined : v.picture,
          age_from: v.age_to === '' ? undefined : Number(v.age_from || 0),
          age_to: v.age_to === '' ? undefined : Number(v.age_to),
          quote: v.quote || undefined,
          story: v.story || undefined,
          goals: lines(v.goals),
          needs: lines(v.needs),
          pains: lines(v.pains),
          words: v.words,
          channels: v.channels.map(placeCode),
          segment_id: v.segment_id ?? undefined,
        },
        revision,
      ),
  })
  const v = form.values
  const choose = async (file: File | null) => {
    if (!file) return
    try {
      form.setFieldValue('picture', await squarePicture(file))
      setFailed(false)
    } catch {
      setFailed(true)
    }
  }
  const names = new Map([...(segments.data?.items ?? []), ...(known.data?.items ?? [])].map((s) => [s.id, s.name]))
  const sets = (items: { id: string; name: string; size: number }[] | undefined) =>
    (items ?? []).map((s) => ({ value: s.id, label: `${s.name} (${formatNumber(s.size)})` }))
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onCancel}>
      {persona ? (
        <HeadActions>
          <PastVersions<Schemas['Persona']>
            path="/api/v1/personas/{id}/versions"
            id={persona.id}
            now={persona.revision}
            differences={(then) => differences(t, names, valuesOf(then), form.values)}
            onTake={(then) => form.setValues({ ...valuesOf(then), picture: form.values.picture })}
          />
        </HeadActions>
      ) : null}
      <Card title={t('personas.who')}>
        <Stack gap="md">
          <div className={css.formFace}>
            <Face name={v.name || '?'} colour={v.colour} picture={v.picture || undefined} size={88} />
            <Stack gap="xs">
              <Group gap="xs">
                <FileButton accept="image/png,image/jpeg,image/webp,image/gif" onChange={(f) => void choose(f)}>
                  {(props) => <Button {...props}>{t(v.picture ? 'personas.picture_other' : 'personas.picture_choose')}</Button>}
                </FileButton>
                {v.picture ? <Button onClick={() => form.setFieldValue('picture', '')}>{t('action.remove')}</Button> : null}
              </Group>
              {failed || form.errors.picture ? (
                <Text c="danger" size="sm" role="alert">
                  {form.errors.picture ?? t('personas.picture_failed')}
                </Text>
              ) : null}
              {v.picture ? null : (
                <div className={css.swatches} role="radiogroup" aria-label={t('personas.colour')}>
                  {[1, 2, 3, 4, 5, 6, 7, 8].map((n) => (
                    <label key={n}>
                      <input
                        type="radio"
                        className="visually-hidden"
                        name="colour"
                        checked={v.colour === n}
                        aria-label={t('personas.colour_n', { n })}
                        onChange={() => form.setFieldValue('colour', n)}
                      />
                      <span style={{ background: `var(--ui-chart-${n})` }} />
                    </label>
                  ))}
                </div>
              )}
            </Stack>
          </div>
          <TextInput
            label={t('field.name')}
            placeholder={t('personas.name_hint')}
            required
            maxLength={100}
            {...form.getInputProps('name')}
          />
          <TextInput label={t('personas.role')} placeholder={t('personas.role_hint')} maxLength={300} {...form.getInputProps('role')} />
          <Group gap="md" align="flex-start">
            <NumberInput
              label={t('personas.age_from')}
              min={0}
              max={130}
              allowDecimal={false}
              w={120}
              {...form.getInputProps('age_from')}
            />
            <NumberInput label={t('personas.age_to')} min={0} max={130} allowDecimal={false} w={120} {...form.getInputProps('age_to')} />
          </Group>
          <TextInput label={t('personas.quote')} description={t('personas.quote_help')} maxLength={300} {...form.getInputProps('quote')} />
          <Textarea
            label={t('personas.story')}
            description={t('personas.story_help')}
            autosize
            minRows={4}
            maxLength={5000}
            {...form.getInputProps('story')}
          />
        </Stack>
      </Card>
      <Card title={t('personas.mind')} help={t('personas.one_a_line')}>
        <SimpleGrid cols={{ base: 1, sm: 3 }}>
          {lists.map((name) => (
            <Textarea key={name} label={t(`personas.${name}`)} autosize minRows={4} {...form.getInputProps(name)} />
          ))}
        </SimpleGrid>
      </Card>
      <Card title={t('personas.talk')}>
        <Stack gap="md">
          <TagsInput
            label={t('personas.channels')}
            description={t('personas.channels_help')}
            data={placeChoices().map((c) => c.label)}
            {...form.getInputProps('channels')}
          />
          <TagsInput label={t('personas.words')} description={t('personas.words_help')} {...form.getInputProps('words')} />
        </Stack>
      </Card>
      <Card title={t('nav.segments')} help={t('personas.segment_help')}>
        <Select
          label={t('personas.segment')}
          searchable
          clearable
          data={[
            { group: text('nav.segments'), items: sets(segments.data?.items) },
            { group: text('lists.title'), items: sets(known.data?.items) },
          ]}
          {...form.getInputProps('segment_id')}
        />
      </Card>
    </FormBody>
  )
}
