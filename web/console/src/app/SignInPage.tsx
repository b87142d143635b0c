import { useQuery } from '@tanstack/react-query'
import { call } from '@/api'
import { choose, type Language, language, languages, useT } from '@/i18n'
import { FormBody, PasswordInput, SegmentedControl, TextInput, toastError, useForm, usePageTitle } from '@/ui'
import css from './SignInPage.module.css'
import { setUp, signIn } from './session'

/** The form for staff; on a new installation it makes the owner's account instead. */
export default function SignInPage() {
  const t = useT()
  const setup = useQuery({ queryKey: ['setup'], queryFn: () => call('get', '/api/v1/setup', {}) })
  const needed = setup.data?.needed ?? false
  const form = useForm({
    initial: { email: '', password: '' },
    save: (v) => (needed ? setUp(v.email, v.password) : signIn(v.email, v.password)),
  })
  usePageTitle(needed ? t('setup.title') : t('signin.title'))
  return (
    <main className={css.page}>
      <div className={css.box}>
        <img src="/icon.svg" alt="" width={40} height={40} />
        <h1>{needed ? t('setup.title') : t('signin.title')}</h1>
        <p className={css.lead}>{needed ? t('setup.lead') : t('signin.lead')}</p>
        <FormBody form={form} action={needed ? t('setup.submit') : t('signin.submit')}>
          <TextInput
            label={t('signin.email')}
            type="email"
            name="email"
            autoComplete="username"
            required
            {...form.getInputProps('email')}
          />
          <PasswordInput
            label={needed ? t('setup.password') : t('signin.password')}
            name="password"
            autoComplete={needed ? 'new-password' : 'current-password'}
            required
            {...form.getInputProps('password')}
          />
        </FormBody>
        <div className={css.foot}>
          <SegmentedControl
            size="xs"
            aria-label={t('nav.language')}
            value={language()}
            onChange={(v) => choose(v as Language).catch(toastError)}
            data={languages.map((l) => ({ value: l.code, label: l.name }))}
          />
        </div>
      </div>
    </main>
  )
}
