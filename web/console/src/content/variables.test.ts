import { expect, test } from 'vitest'
import { misnamed, type Variable, variablesOf } from './variables'

const traits: Variable[] = [
  { path: 'person.plan', value: '' },
  { path: 'person.address.city', value: '' },
  { path: 'person.pets', value: '', list: true, open: true },
  { path: 'person.meta', value: '', open: true },
]
const all = variablesOf({}, traits)

test('a trait that nobody has is found where it stands, with the one that was meant', () => {
  expect(misnamed('Hello {{ person.frist_name }}!', all)).toEqual({ name: 'person.frist_name', like: 'person.first_name', from: 9 })
  expect(misnamed('{% if person.plna == "person.x" %}a{% endif %}', all)).toMatchObject({ name: 'person.plna', like: 'person.plan' })
  expect(misnamed('{{ person.address.ctiy }}', all)).toMatchObject({ like: 'person.address.city' })
  expect(misnamed('{{ persn.plan | upcase }}', all)).toMatchObject({ name: 'persn.plan', like: 'person.plan' })
  expect(misnamed('person.plna == 1', all, true)).toMatchObject({ from: 0, like: 'person.plan' })
  expect(misnamed('{{ person.wealth }}', all)).toEqual({ name: 'person.wealth', like: undefined, from: 3 })
})

test('what may be there is left alone', () => {
  for (const good of [
    '{{ person.plan }} {{ person.email }} {{ person.address.city | default: "person.home" }}',
    '{% for p in person.pets %}{{ p.name }}{% endfor %} {{ person.pets.first.name }} {{ person.pets.size }} {{ person.meta.x.y }}',
    'person.plna outside of braces, {{ event.total }}, {{ unsubscribe_url }}',
    '{% assign perso = event %}{{ perso.total }}',
    '{{ person.pla',
  ])
    expect(misnamed(good, all)).toBeUndefined()
  expect(misnamed('{{ person.plna }}', variablesOf({}))).toBeUndefined() // nothing is known of anybody
})

test('what others have is offered behind what the chosen person has, each once', () => {
  const paths = variablesOf({ person: { plan: 'pro' } }, traits).map((v) => v.path)
  expect(paths[0]).toBe('person.plan')
  expect(paths.filter((p) => p === 'person.plan')).toHaveLength(1)
  expect(paths).toContain('person.address.city')
})
