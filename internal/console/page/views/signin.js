import { needsSetup, setUp, signIn as enter } from '../api.js'
import { h, mount, message } from '../dom.js'
import { t } from '../i18n.js'
import { languageChoice } from '../language.js'

// signIn is the form for staff; on a new installation it makes the owner's account instead.
export function signIn(done) {
  const box = h('div', { class: 'card narrow' })
  needsSetup().then((needed) => mount(box, form(needed, done)), () => mount(box, form(false, done)))
  return box
}

function form(setup, done) {
  const error = h('p', { class: 'error', role: 'alert' })
  const email = h('input', { type: 'email', autocomplete: 'username', required: true, id: 'email' })
  const password = h('input', { type: 'password', autocomplete: setup ? 'new-password' : 'current-password', required: true, id: 'password', minlength: setup ? 10 : null })
  const submit = async (e) => {
    e.preventDefault()
    mount(error)
    try {
      if (setup) await setUp({ email: email.value, password: password.value })
      else await enter(email.value, password.value)
      done()
    } catch (err) { mount(error, message(err)) }
  }
  return h('form', { onsubmit: submit },
    h('h1', {}, setup ? t('setup.title') : t('signin.title')),
    h('p', { class: 'lead' }, setup ? t('setup.lead') : t('signin.lead')),
    h('label', {}, h('span', {}, t('signin.email')), email),
    h('label', {}, h('span', {}, setup ? t('setup.password') : t('signin.password')), password),
    error,
    h('div', { class: 'actions' }, h('button', { class: 'primary', type: 'submit' }, setup ? t('setup.submit') : t('signin.submit')), languageChoice(done)))
}
