import { useState } from 'react'
import { call } from '@/api'
import { useT } from '@/i18n'
import { Alert, FormBody, PasswordInput, TextInput, useForm, usePageTitle } from '@/ui'
import css from './SignInPage.module.css'
import { signIn, signOut } from './session'

/** Where a link of an invitation or reset leads: its holder sets a password, which signs them in. The token stands behind #. */
export default function JoinPage({ signedIn }: { signedIn: boolean }) {
  const t = useT()
  const [token] = useState(() => location.hash.slice(1))
  const form = useForm({
    initial: { name: '', password: '' },
    save: async (v) => {
      const { email } = await call('post', '/api/v1/staff/accept', {
        body: { token, password: v.password, ...(v.name ? { name: v.name } : {}) },
      })
      if (signedIn) await signOut() // whoever made the link may have tried it in their own browser
      await signIn(email, v.password).catch(() => {}) // the link is used up: the form of sign-in says what is wrong
      location.replace('/')
    },
  })
  usePageTitle(t('join.title'))
  return (
    <main className={css.page}>
      <div className={css.box}>
        <img src="/icon.svg" alt="" width={40} height={40} />
        <h1>{t('join.title')}</h1>
        <p className={css.lead}>{t('join.lead')}</p>
        {token ? (
          <FormBody form={form} action={t('join.submit')}>
            <TextInput label={t('join.name')} autoComplete="name" {...form.getInputProps('name')} />
            <PasswordInput label={t('setup.password')} autoComplete="new-password" required {...form.getInputProps('password')} />
          </FormBody>
        ) : (
          <Alert color="danger">{t('error.staff.link.invalid')}</Alert>
        )}
      </div>
    </main>
  )
}
