// Generated from docs/openapi/auth.json by `npm run generate`.

export interface paths {
    "/v1/auth/signup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask for a code with `name`; send it back as `otp` to sign up or in */
        post: operations["signup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Register with a mobile or an email, to be activated by the code sent there */
        post: operations["register"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/resend-otp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask for another activation code */
        post: operations["resend_otp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/verify-otp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Activate a registration with its code, and sign in */
        post: operations["verify_otp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask for a code, send it back, or sign in by password */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/forgot-password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask for a code, and by mail a link, that replaces the password */
        post: operations["forgot_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/verify-reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Exchange the code for a ticket that sets a new password */
        post: operations["verify_reset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/reset-password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Set a new password by ticket or by code; ends every session */
        post: operations["reset_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/change-password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Set another password; ends every other session */
        post: operations["change_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Exchange a refresh token; each works once */
        post: operations["refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End this session, by its access or refresh token; repeating it is well */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/logout-all": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End every session, or every other one */
        post: operations["logout_all"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Signed-in devices, the newest first */
        get: operations["list_sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End one of one's own sessions */
        delete: operations["delete_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/step-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Prove your identity again: by code or by password, or by a second factor */
        post: operations["step_up"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/mfa/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Complete a sign-in that was answered with `mfa_required`, by a second factor */
        post: operations["verify_mfa"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/me/factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's second factors, recovery codes left, and remembered devices */
        get: operations["list_factors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/me/factors/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin to add an authenticator app; it counts once a code confirms it */
        post: operations["add_totp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/me/factors/totp/{id}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Confirm a new authenticator by its code; from then on sign-ins need a factor */
        post: operations["confirm_totp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/me/recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make ten new recovery codes; the old ones are invalid */
        post: operations["replace_recovery_codes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/me/factors/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a second factor */
        delete: operations["remove_factor"];
        options?: never;
        head?: never;
        /** Give a second factor another name */
        patch: operations["rename_factor"];
        trace?: never;
    };
    "/v1/auth/me/remembered-devices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Ask for the second factor again on every device */
        delete: operations["forget_devices"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/me/remembered-devices/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Ask for the second factor again on one device */
        delete: operations["forget_device"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/me/factors/passkeys/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make the options with which a browser or an app creates a passkey */
        post: operations["begin_passkey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/me/factors/passkeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add a passkey; from then on sign-ins need a second factor */
        post: operations["add_passkey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/mfa/passkey-options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make passkey options for a sign-in that was answered with `mfa_required` */
        post: operations["ask_for_passkey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/passkeys/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make passkey options for a sign-in without a name */
        post: operations["ask_for_any_passkey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/passkeys/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in by a passkey alone */
        post: operations["sign_in_by_passkey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The signed-in user */
        get: operations["get_me"];
        put?: never;
        post?: never;
        /** Remove the account and everything of it, here and at media_service */
        delete: operations["delete_me"];
        options?: never;
        head?: never;
        /** Change names and language; a new mobile or email is stored once its code came back */
        patch: operations["change_me"];
        trace?: never;
    };
    "/v1/auth/me/verify-contact": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Prove a new mobile or email by the code that was sent there */
        post: operations["verify_contact"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/me/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Everything that is held about you */
        get: operations["export_me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Public keys that access tokens are signed with */
        get: operations["get_keys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/pages/reset-password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The page of a mailed link that sets a new password */
        get: operations["show_reset_page"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/pages/activate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The page of a mailed link that activates an account */
        get: operations["show_activation_page"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/callbacks/twilio": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Twilio's status callbacks; their signature is checked */
        post: operations["receive_status"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Users, the newest first; `q` is how a name, an address or a number begins */
        get: operations["list_users"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One user */
        get: operations["get_user"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/users/{id}/disable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Keep a user out; every token of theirs is dead at once */
        post: operations["disable_user"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/users/{id}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a user in again */
        post: operations["enable_user"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/users/{id}/revoke-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End every session of a user */
        post: operations["revoke_sessions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/users/{id}/roles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Set a user's roles */
        put: operations["set_roles"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/users/{id}/reset-factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Remove a user's second factors and recovery codes, which are lost */
        post: operations["reset_factors"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/deliveries/dead": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Messages that could not be sent, and why */
        get: operations["list_dead_letters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/deliveries/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put a message back into the queue */
        post: operations["retry_delivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/deliveries/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Forget a message that could not be sent, expired or not */
        delete: operations["delete_delivery"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/subscribers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Processes that follow the revocations, as this replica hears them */
        get: operations["list_subscribers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Security events, the newest first: actor, action, address, time and outcome */
        get: operations["list_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List webhooks, the newest first */
        get: operations["list_webhooks"];
        put?: never;
        /** Have events sent to an address by signed HTTP requests; at most 10 webhooks */
        post: operations["create_webhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/webhooks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One webhook */
        get: operations["get_webhook"];
        put?: never;
        post?: never;
        /** Delete a webhook */
        delete: operations["delete_webhook"];
        options?: never;
        head?: never;
        /** Change a webhook; `status` disables and enables it */
        patch: operations["patch_webhook"];
        trace?: never;
    };
    "/v1/auth/admin/webhooks/{id}/rotate-secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Replace a webhook's secret; the one before signs too for 24 hours */
        post: operations["rotate_secret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/webhooks/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send `webhook.test` to a webhook, once, also to a disabled one */
        post: operations["test_webhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/webhooks/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the deliveries to a webhook with every attempt, the newest first */
        get: operations["list_deliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/webhooks/{id}/deliveries/{did}/redeliver": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Deliver an event again under the same `webhook-id`; a link in it ends as before */
        post: operations["redeliver"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/admin/webhooks/{id}/redeliver": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Deliver again all events since a time that this webhook has not accepted */
        post: operations["redeliver_failed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/dev/inbox": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Messages that the console provider kept; development only */
        get: operations["get_inbox"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Activation
         * @description The tokens of an account that has just been activated.
         */
        Activation: {
            /**
             * Access Token
             * @description absent with `transport: cookie`
             */
            access_token?: string;
            /**
             * Token Type
             * @default Bearer
             * @constant
             */
            token_type?: "Bearer";
            /** Expires In */
            expires_in: number;
            /**
             * Refresh Token
             * @description absent with `transport: cookie`
             */
            refresh_token?: string;
            /** Refresh Expires In */
            refresh_expires_in: number;
            user: components["schemas"]["UserResponse"];
            /** Login At */
            login_at: number;
            /**
             * Csrf
             * @description for `X-CSRF-Token`; absent without `transport: cookie`
             * @default null
             */
            csrf?: string | null;
            /**
             * Device
             * @description keep the newest, and send it when this device asks for a code or signs in: it has limits of its own then; absent with `transport: cookie`
             */
            device?: string;
            /** Message */
            message: string;
        };
        /**
         * AttemptResponse
         * @description One attempt: the receiver's status, or the error if there was none.
         */
        AttemptResponse: {
            /**
             * At
             * Format: date-time
             */
            at: string;
            /** Status Code */
            status_code: number | null;
            /** Error */
            error: ("address_refused" | "name_not_resolved" | "connection_failed" | "tls_failed" | "connection_lost" | "invalid_response" | "timeout" | "internal_error" | "queue_full") | null;
            /** Duration Ms */
            duration_ms: number;
            /**
             * Response Excerpt
             * @description the first KiB of the answer, as text
             */
            response_excerpt: string;
        };
        /**
         * ChallengeResponse
         * @description A code is on its way. `expires_in`, `resend_after`: seconds.
         */
        ChallengeResponse: {
            /** Message */
            message: string;
            /** Challenge */
            challenge: string;
            /** Channel */
            channel: string;
            /** Expires In */
            expires_in: number;
            /** Resend After */
            resend_after: number;
        };
        /**
         * ChangeBody
         * @description The current password and the new one.
         */
        ChangeBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /** Current Password */
            current_password: string;
            /** New Password */
            new_password: string;
        };
        /**
         * ConfirmBody
         * @description A code of the new authenticator.
         */
        ConfirmBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Mfa Ticket
             * @description that of the 403 `mfa_enrolment_required`, in place of a session
             * @default null
             */
            mfa_ticket?: string | null;
            /**
             * Transport
             * @description `cookie`: for browsers, as four cookies
             * @default body
             * @enum {string}
             */
            transport?: "body" | "cookie";
            /**
             * Otp
             * @description the code that the app shows, six digits
             */
            otp: string;
        };
        /**
         * ConfirmationResponse
         * @description The factor; with a ticket, the tokens of the sign-in and the factor beside them.
         */
        ConfirmationResponse: components["schemas"]["ConfirmedFactorResponse"] | components["schemas"]["EnrolledTokenPair"];
        /**
         * ConfirmedFactorResponse
         * @description A second factor that counts from now on.
         */
        ConfirmedFactorResponse: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Kind
             * @enum {string}
             */
            kind: "totp" | "passkey";
            /** Name */
            name: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Last Used At */
            last_used_at: string | null;
            /**
             * Backed Up
             * @description of a passkey: whether the user's other devices can get it
             * @default null
             */
            backed_up?: boolean | null;
            /**
             * Recovery Codes
             * @description with the first factor alone, and shown this once
             * @default null
             */
            recovery_codes?: string[] | null;
        };
        /**
         * DeadLetterPage
         * @description A page of dead letters, the newest first; `next_cursor` is null on the last one.
         */
        DeadLetterPage: {
            /** Items */
            items: components["schemas"]["DeadLetterResponse"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * DeadLetterResponse
         * @description A message that could not be sent, and the reason of each provider; never its text.
         *
         *     `template` is null where the key that sealed the message is no longer configured.
         */
        DeadLetterResponse: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Template */
            template: string | null;
            /** Channel */
            channel: string | null;
            /** To */
            to: string | null;
            /** Reasons */
            reasons: {
                [key: string]: string;
            };
            /**
             * Died At
             * Format: date-time
             */
            died_at: string;
            /**
             * Not After
             * Format: date-time
             */
            not_after: string;
        };
        /**
         * DeliveryPage
         * @description One page of deliveries, the newest first; `next_cursor` is null on the last one.
         */
        DeliveryPage: {
            /** Items */
            items: components["schemas"]["DeliveryResponse"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * DeliveryResponse
         * @description A delivery; `failed` is tried again at `next_attempt_at`, `dead` is not.
         *
         *     It is `pending` until its first attempt has ended, and during each other one.
         */
        DeliveryResponse: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Event Id
             * Format: uuid
             * @description the `webhook-id` of every attempt
             */
            event_id: string;
            /** Type */
            type: string;
            /**
             * Status
             * @enum {string}
             */
            status: "pending" | "delivered" | "failed" | "dead";
            /** Attempts */
            attempts: components["schemas"]["AttemptResponse"][];
            /** Next Attempt At */
            next_attempt_at: string | null;
        };
        /**
         * EnrolledTokenPair
         * @description The tokens of a user whose role demands a second factor, which counts from now on.
         */
        EnrolledTokenPair: {
            /**
             * Access Token
             * @description absent with `transport: cookie`
             */
            access_token?: string;
            /**
             * Token Type
             * @default Bearer
             * @constant
             */
            token_type?: "Bearer";
            /** Expires In */
            expires_in: number;
            /**
             * Refresh Token
             * @description absent with `transport: cookie`
             */
            refresh_token?: string;
            /** Refresh Expires In */
            refresh_expires_in: number;
            user: components["schemas"]["UserResponse"];
            /** Login At */
            login_at: number;
            /**
             * Csrf
             * @description for `X-CSRF-Token`; absent without `transport: cookie`
             * @default null
             */
            csrf?: string | null;
            /**
             * Device
             * @description keep the newest, and send it when this device asks for a code or signs in: it has limits of its own then; absent with `transport: cookie`
             */
            device?: string;
            factor: components["schemas"]["FactorResponse"];
            /** Recovery Codes */
            recovery_codes: string[];
        };
        /**
         * EventPage
         * @description A page of events, the newest first; `next_cursor` is null on the last one.
         */
        EventPage: {
            /** Items */
            items: components["schemas"]["EventResponse"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * EventResponse
         * @description A security event of an account.
         *
         *     `user_id`: the account; `actor_id`: the user who caused it, null for the account's own.
         */
        EventResponse: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Event */
            event: string;
            /**
             * Outcome
             * @enum {string}
             */
            outcome: "success" | "failure";
            /** User Id */
            user_id: string | null;
            /** Actor Id */
            actor_id: string | null;
            /** Session Id */
            session_id: string | null;
            /** Address */
            address: string | null;
            /** User Agent */
            user_agent: string | null;
            /** Request Id */
            request_id: string | null;
            /** Details */
            details: {
                [key: string]: string;
            };
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * Export
         * @description Everything that is stored about a user.
         */
        Export: {
            /**
             * Exported At
             * Format: date-time
             */
            exported_at: string;
            user: components["schemas"]["UserResponse"];
            /** Has Password */
            has_password: boolean;
            /** Sessions */
            sessions: components["schemas"]["ExportedSession"][];
            /** Tokens */
            tokens: components["schemas"]["ExportedToken"][];
            /** Factors */
            factors: components["schemas"]["FactorResponse"][];
            /** Remembered Devices */
            remembered_devices: components["schemas"]["RememberedDeviceResponse"][];
            /** Events */
            events: components["schemas"]["EventResponse"][];
        };
        /**
         * ExportedSession
         * @description A session, active or ended.
         */
        ExportedSession: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** User Agent */
            user_agent: string | null;
            /**
             * Ip
             * Format: ipvanyaddress
             */
            ip: string;
            /** Amr */
            amr: string[];
            /**
             * Auth Time
             * Format: date-time
             */
            auth_time: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Last Used At
             * Format: date-time
             */
            last_used_at: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Revoked At */
            revoked_at: string | null;
            /** Revoked Reason */
            revoked_reason: string | null;
        };
        /**
         * ExportedToken
         * @description An issued token; of the token itself only a hash is stored.
         */
        ExportedToken: {
            /** Scope */
            scope: string;
            /** Session Id */
            session_id: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Used At */
            used_at: string | null;
        };
        /**
         * FactorResponse
         * @description A second factor.
         */
        FactorResponse: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Kind
             * @enum {string}
             */
            kind: "totp" | "passkey";
            /** Name */
            name: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Last Used At */
            last_used_at: string | null;
            /**
             * Backed Up
             * @description of a passkey: whether the user's other devices can get it
             * @default null
             */
            backed_up?: boolean | null;
        };
        /**
         * FactorsResponse
         * @description The caller's second factors, the number of recovery codes left, and remembered devices.
         */
        FactorsResponse: {
            /** Items */
            items: components["schemas"]["FactorResponse"][];
            /** Recovery Codes Left */
            recovery_codes_left: number;
            /** Remembered Devices */
            remembered_devices: components["schemas"]["RememberedDeviceResponse"][];
        };
        /**
         * FieldProblem
         * @description One thing wrong with one field.
         */
        FieldProblem: {
            /** Field */
            field: string;
            /** Code */
            code: string;
            /** Message */
            message: string;
        };
        /**
         * ForgotBody
         * @description The account whose password is forgotten.
         */
        ForgotBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Altcha
             * @description solution of the challenge in a 403 `proof_required`, by a library of ALTCHA: base64 of challenge and solution
             * @default null
             */
            altcha?: string | null;
            /**
             * Mobile
             * @description E.164, or national at home
             * @default null
             */
            mobile?: string | null;
            /**
             * Phone Number
             * @description the same as `mobile`
             * @default null
             */
            phone_number?: string | null;
            /**
             * Email
             * @description one mail address
             * @default null
             */
            email?: string | null;
            /**
             * Username
             * @default null
             */
            username?: string | null;
        };
        /**
         * FreshToken
         * @description An access token of the same session, with a fresh `auth_time`; `expires_in`: seconds.
         *
         *     A browser that is signed in by cookies gets the token as one.
         */
        FreshToken: {
            /** Access Token */
            access_token?: string;
            /** Expires In */
            expires_in: number;
        };
        /**
         * InboxMessage
         * @description One message that the console provider kept.
         */
        InboxMessage: {
            /** Channel */
            channel: string;
            /** To */
            to: string;
            /** Subject */
            subject: string | null;
            /** Text */
            text: string;
            /**
             * Sent At
             * Format: date-time
             */
            sent_at: string;
        };
        /**
         * InboxResponse
         * @description Messages to one destination, newest first.
         */
        InboxResponse: {
            /** Items */
            items: components["schemas"]["InboxMessage"][];
        };
        /**
         * KeySet
         * @description A JWK set (RFC 7517 §5): current and next keys, and those with unexpired tokens.
         */
        KeySet: {
            /** Keys */
            keys: {
                [key: string]: unknown;
            }[];
        };
        /**
         * LoginBody
         * @description `mobile` or `email` requests a code, and signs in with `otp`. Or: a name and a `password`.
         */
        LoginBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Altcha
             * @description solution of the challenge in a 403 `proof_required`, by a library of ALTCHA: base64 of challenge and solution
             * @default null
             */
            altcha?: string | null;
            /**
             * Transport
             * @description `cookie`: for browsers, as four cookies
             * @default body
             * @enum {string}
             */
            transport?: "body" | "cookie";
            /**
             * Mobile
             * @description E.164, or national at home
             * @default null
             */
            mobile?: string | null;
            /**
             * Phone Number
             * @description the same as `mobile`
             * @default null
             */
            phone_number?: string | null;
            /**
             * Email
             * @description one mail address
             * @default null
             */
            email?: string | null;
            /**
             * Username
             * @description with a password
             * @default null
             */
            username?: string | null;
            /**
             * Password
             * @description with a username or an email
             * @default null
             */
            password?: string | null;
            /**
             * Otp
             * @description the code received, six digits
             * @default null
             */
            otp?: string | null;
            /**
             * Challenge
             * @description `challenge` of the 202, so that only its code counts
             * @default null
             */
            challenge?: string | null;
        };
        /**
         * LogoutAllBody
         * @description The sessions to revoke: all, or all but the caller's.
         */
        LogoutAllBody: {
            /**
             * Except Current
             * @default false
             */
            except_current?: boolean;
        };
        /**
         * LogoutBody
         * @description The refresh token of the session, for a client whose access token may have expired.
         */
        LogoutBody: {
            /**
             * Refresh Token
             * @default null
             */
            refresh_token?: string | null;
        };
        /**
         * MeResponse
         * @description The signed-in user.
         */
        MeResponse: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Username */
            username: string | null;
            /** Name */
            name: string;
            /** First Name */
            first_name: string | null;
            /** Last Name */
            last_name: string | null;
            /** Email */
            email: string | null;
            /** Email Verified */
            email_verified: boolean;
            /** Phone Number */
            phone_number: string | null;
            /** Phone Verified */
            phone_verified: boolean;
            /** Roles */
            roles: string[];
            /**
             * Status
             * @enum {string}
             */
            status: "pending" | "active" | "disabled";
            /** Last Login At */
            last_login_at: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Version */
            version: number;
            /** Locale */
            locale: string | null;
            /**
             * Csrf
             * @description for `X-CSRF-Token`; absent without cookies
             * @default null
             */
            csrf?: string | null;
        };
        /**
         * MfaPasskeyOptionsBody
         * @description The ticket of a sign-in.
         */
        MfaPasskeyOptionsBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Mfa Ticket
             * @description that of the 403 `mfa_required`
             */
            mfa_ticket: string;
        };
        /**
         * PasskeyBody
         * @description A new passkey.
         */
        PasskeyBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Mfa Ticket
             * @description that of the 403 `mfa_enrolment_required`, in place of a session
             * @default null
             */
            mfa_ticket?: string | null;
            /**
             * Transport
             * @description `cookie`: for browsers, as four cookies
             * @default body
             * @enum {string}
             */
            transport?: "body" | "cookie";
            /**
             * Challenge
             * @description `challenge` of the options
             */
            challenge: string;
            /**
             * Credential
             * @description the response of the browser or the app, as `credential.toJSON()` returns it
             */
            credential: {
                [key: string]: unknown;
            };
            /**
             * Name
             * @default null
             */
            name?: string | null;
        };
        /**
         * PasskeyLoginBody
         * @description The response of a passkey that is the only factor.
         */
        PasskeyLoginBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Transport
             * @description `cookie`: for browsers, as four cookies
             * @default body
             * @enum {string}
             */
            transport?: "body" | "cookie";
            /**
             * Challenge
             * @description `challenge` of the options
             */
            challenge: string;
            /**
             * Credential
             * @description the response of the browser or the app, as `credential.toJSON()` returns it
             */
            credential: {
                [key: string]: unknown;
            };
        };
        /**
         * PasskeyLoginOptionsBody
         * @description Empty: the passkey names its user.
         */
        PasskeyLoginOptionsBody: Record<string, never>;
        /**
         * PasskeyOptionsBody
         * @description Empty in a session; the ticket, and the code that goes with it, in an enrolment.
         */
        PasskeyOptionsBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Mfa Ticket
             * @description that of the 403 `mfa_enrolment_required`, in place of a session
             * @default null
             */
            mfa_ticket?: string | null;
            /**
             * Otp
             * @description with `mfa_ticket`: the code that was sent, if there was a `channel`
             * @default null
             */
            otp?: string | null;
        };
        /**
         * PasskeyOptionsResponse
         * @description Options for a browser or an app, and their challenge, which counts for 5 minutes.
         */
        PasskeyOptionsResponse: {
            /** Challenge */
            challenge: string;
            /**
             * Public Key
             * @description for `parseCreationOptionsFromJSON()` or `parseRequestOptionsFromJSON()` of `PublicKeyCredential`, or for an app's library
             */
            public_key: {
                [key: string]: unknown;
            };
        };
        /**
         * PasswordStored
         * @description The new password is valid from now on.
         */
        PasswordStored: {
            /** Message */
            message: string;
        };
        /**
         * Problem
         * @description An RFC 9457 problem, as every error is answered.
         */
        Problem: {
            /** Type */
            type: string;
            /** Title */
            title: string;
            /** Status */
            status: number;
            /** Detail */
            detail: string;
            /** Code */
            code: string;
            /** Request Id */
            request_id: string;
            /**
             * Retry After
             * @default null
             */
            retry_after?: number | null;
            /**
             * Current Version
             * @description with `version_mismatch`
             * @default null
             */
            current_version?: number | null;
            /**
             * Limit
             * @description with `rate_limited`: the setting of its number
             * @default null
             */
            limit?: string | null;
            /**
             * Errors
             * @default null
             */
            errors?: components["schemas"]["FieldProblem"][] | null;
            /**
             * Altcha
             * @description with `proof_required`: the challenge to solve (ALTCHA, version 2)
             * @default null
             */
            altcha?: {
                [key: string]: unknown;
            } | null;
            /**
             * Methods
             * @description with `mfa_required`: the ways to prove a second factor
             * @default null
             */
            methods?: string[] | null;
            /**
             * Mfa Ticket
             * @description with `mfa_required` of a sign-in: for /mfa/verify; with `mfa_enrolment_required`: for the routes that add a factor
             * @default null
             */
            mfa_ticket?: string | null;
            /**
             * Challenge
             * @description with `mfa_required` of a step-up: to send back with a passkey's response
             * @default null
             */
            challenge?: string | null;
            /**
             * Public Key
             * @description with `challenge`: the options for a browser or an app
             * @default null
             */
            public_key?: {
                [key: string]: unknown;
            } | null;
            /**
             * Channel
             * @description with `mfa_enrolment_required` after a password: `sms` or `email`, by which a code was sent
             * @default null
             */
            channel?: string | null;
            /**
             * Expires In
             * @description with `mfa_ticket`: its life in seconds
             * @default null
             */
            expires_in?: number | null;
        };
        /**
         * ProfileBody
         * @description Names and language to store, or one new address to verify.
         *
         *     Null or an empty text removes a first name, a last name or the locale.
         */
        ProfileBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Altcha
             * @description solution of the challenge in a 403 `proof_required`, by a library of ALTCHA: base64 of challenge and solution
             * @default null
             */
            altcha?: string | null;
            /**
             * Mobile
             * @description E.164, or national at home
             * @default null
             */
            mobile?: string | null;
            /**
             * Phone Number
             * @description the same as `mobile`
             * @default null
             */
            phone_number?: string | null;
            /**
             * Name
             * @description how the user is to be called
             * @default null
             */
            name?: string | null;
            /**
             * First Name
             * @default null
             */
            first_name?: string | null;
            /**
             * Last Name
             * @default null
             */
            last_name?: string | null;
            /**
             * Username
             * @default null
             */
            username?: string | null;
            /**
             * Locale
             * @description language of messages, as `de` or `pt-BR`
             * @default null
             */
            locale?: string | null;
            /**
             * Email
             * @description one mail address
             * @default null
             */
            email?: string | null;
        };
        /**
         * QueuedResponse
         * @description The id of the queued delivery.
         */
        QueuedResponse: {
            /**
             * Delivery Id
             * Format: uuid
             */
            delivery_id: string;
        };
        /**
         * RecoveryCodesResponse
         * @description Recovery codes, shown this once; older ones are invalid.
         */
        RecoveryCodesResponse: {
            /** Recovery Codes */
            recovery_codes: string[];
        };
        /**
         * RedeliveryBody
         * @description Which events to deliver again: those since a time that were not delivered.
         */
        RedeliveryBody: {
            /**
             * Since
             * @description then or later: a day (its start in UTC) or a time with offset
             */
            since: string;
        };
        /**
         * RefreshBody
         * @description The refresh token to exchange; a browser's is in its cookie.
         */
        RefreshBody: {
            /**
             * Transport
             * @description `cookie`: for browsers, as four cookies
             * @default body
             * @enum {string}
             */
            transport?: "body" | "cookie";
            /**
             * Refresh Token
             * @default null
             */
            refresh_token?: string | null;
        };
        /**
         * RegisterBody
         * @description The claimed identity; the code goes to the mobile, or else to the email.
         */
        RegisterBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Altcha
             * @description solution of the challenge in a 403 `proof_required`, by a library of ALTCHA: base64 of challenge and solution
             * @default null
             */
            altcha?: string | null;
            /**
             * Mobile
             * @description E.164, or national at home
             * @default null
             */
            mobile?: string | null;
            /**
             * Phone Number
             * @description the same as `mobile`
             * @default null
             */
            phone_number?: string | null;
            /**
             * Email
             * @description one mail address
             * @default null
             */
            email?: string | null;
            /**
             * Username
             * @default null
             */
            username?: string | null;
            /**
             * Password
             * @description needs an email
             * @default null
             */
            password?: string | null;
            /**
             * First Name
             * @default null
             */
            first_name?: string | null;
            /**
             * Last Name
             * @default null
             */
            last_name?: string | null;
        };
        /**
         * Registered
         * @description A registration waits for the code that is on its way.
         */
        Registered: {
            /** Message */
            message: string;
            /** Challenge */
            challenge: string;
            /** Channel */
            channel: string;
            /** Expires In */
            expires_in: number;
            /** Resend After */
            resend_after: number;
            /**
             * User Id
             * Format: uuid
             */
            user_id: string;
        };
        /**
         * RememberedDeviceResponse
         * @description A device that signs in without the second factor until it expires.
         */
        RememberedDeviceResponse: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** User Agent */
            user_agent: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
        };
        /**
         * RenameBody
         * @description Another name.
         */
        RenameBody: {
            /** Name */
            name: string;
        };
        /**
         * ResendBody
         * @description The address to send the activation code to again.
         *
         *     With the `challenge` of its own registration the code keeps that registration whole, if it comes
         *     back with its own `challenge`. Otherwise it proves the address alone.
         */
        ResendBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Altcha
             * @description solution of the challenge in a 403 `proof_required`, by a library of ALTCHA: base64 of challenge and solution
             * @default null
             */
            altcha?: string | null;
            /**
             * Mobile
             * @description E.164, or national at home
             * @default null
             */
            mobile?: string | null;
            /**
             * Phone Number
             * @description the same as `mobile`
             * @default null
             */
            phone_number?: string | null;
            /**
             * Email
             * @description one mail address
             * @default null
             */
            email?: string | null;
            /**
             * Challenge
             * @description `challenge` of `/register` or `/resend-otp`; without it, here and in `/verify-otp`, a resent code drops password, username and names
             * @default null
             */
            challenge?: string | null;
        };
        /**
         * ResetBody
         * @description A new password, with a ticket or with a name and its code.
         */
        ResetBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Mobile
             * @description E.164, or national at home
             * @default null
             */
            mobile?: string | null;
            /**
             * Phone Number
             * @description the same as `mobile`
             * @default null
             */
            phone_number?: string | null;
            /**
             * Email
             * @description one mail address
             * @default null
             */
            email?: string | null;
            /**
             * Username
             * @default null
             */
            username?: string | null;
            /**
             * Reset Ticket
             * @description from a code or mail
             * @default null
             */
            reset_ticket?: string | null;
            /**
             * Otp
             * @description in place of a ticket, with a name
             * @default null
             */
            otp?: string | null;
            /**
             * Challenge
             * @description `challenge` of the 202, so that only its code counts
             * @default null
             */
            challenge?: string | null;
            /** New Password */
            new_password: string;
        };
        /**
         * ResetFactorsBody
         * @description Why the factors are removed; it is in the audit trail.
         */
        ResetFactorsBody: {
            /** Reason */
            reason: string;
        };
        /**
         * ResetTicketResponse
         * @description A ticket that sets a password, once, within `expires_in` seconds.
         */
        ResetTicketResponse: {
            /** Reset Ticket */
            reset_ticket: string;
            /** Expires In */
            expires_in: number;
        };
        /**
         * RolesBody
         * @description Every role that the user is to have.
         */
        RolesBody: {
            /** Roles */
            roles: ("admin" | "editor")[];
        };
        /**
         * SecretResponse
         * @description A new secret; the one before signs too for 24 hours.
         */
        SecretResponse: {
            /**
             * Secret
             * @description `whsec_…`, signs webhooks (Standard Webhooks); shown here only
             */
            secret: string;
        };
        /**
         * SessionPage
         * @description A page of sessions, the newest first; `next_cursor` is null on the last one.
         */
        SessionPage: {
            /** Items */
            items: components["schemas"]["SessionResponse"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * SessionResponse
         * @description One signed-in device; `current` is the caller's.
         */
        SessionResponse: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** User Agent */
            user_agent: string | null;
            /**
             * Ip
             * Format: ipvanyaddress
             */
            ip: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Last Used At
             * Format: date-time
             */
            last_used_at: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Amr */
            amr: string[];
            /** Current */
            current: boolean;
        };
        /**
         * SignupBody
         * @description With `name`: requests a code. With `otp`: signs in, or up, with the code received.
         */
        SignupBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Altcha
             * @description solution of the challenge in a 403 `proof_required`, by a library of ALTCHA: base64 of challenge and solution
             * @default null
             */
            altcha?: string | null;
            /**
             * Transport
             * @description `cookie`: for browsers, as four cookies
             * @default body
             * @enum {string}
             */
            transport?: "body" | "cookie";
            /**
             * Mobile
             * @description E.164, or national at home
             * @default null
             */
            mobile?: string | null;
            /**
             * Phone Number
             * @description the same as `mobile`
             * @default null
             */
            phone_number?: string | null;
            /**
             * Name
             * @description how the user is to be called
             * @default null
             */
            name?: string | null;
            /**
             * Otp
             * @description the code received, six digits
             * @default null
             */
            otp?: string | null;
            /**
             * Challenge
             * @description `challenge` of the 202, so that only its code counts
             * @default null
             */
            challenge?: string | null;
        };
        /**
         * StepUpBody
         * @description An empty body requests a code; `otp` or `password` proves the user's identity.
         *
         *     A user with a second factor sends the code of the app as `otp`, a passkey's `credential`, or a
         *     `recovery_code`; nothing else is enough.
         */
        StepUpBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Password
             * @default null
             */
            password?: string | null;
            /**
             * Otp
             * @description the code received or shown by the app
             * @default null
             */
            otp?: string | null;
            /**
             * Recovery Code
             * @description in place of a second factor
             * @default null
             */
            recovery_code?: string | null;
            /**
             * Credential
             * @default null
             */
            credential?: {
                [key: string]: unknown;
            } | null;
            /**
             * Challenge
             * @default null
             */
            challenge?: string | null;
        };
        /**
         * SubscriberList
         * @description The processes that were heard within the last minute, in the order of their names.
         */
        SubscriberList: {
            /** Items */
            items: components["schemas"]["SubscriberResponse"][];
        };
        /**
         * SubscriberResponse
         * @description A process that follows the revocations, by its host's name and a random suffix.
         */
        SubscriberResponse: {
            /** Subscriber */
            subscriber: string;
            /**
             * Applied
             * @description id of the newest entry of the stream that it has applied
             */
            applied: string;
            /**
             * Lag
             * @description seconds from that entry to the newest one; null before its first entry
             */
            lag: number | null;
            /**
             * Last Heard At
             * Format: date-time
             */
            last_heard_at: string;
            /**
             * Max Staleness
             * @description seconds for which it honours tokens without news, then none; null: for ever, with `REVOCATION_POLICY=fail_open`
             */
            max_staleness: number | null;
        };
        /**
         * TokenPair
         * @description A signed-in user's tokens. `expires_in`, `refresh_expires_in`: seconds; `login_at`: Unix.
         *
         *     With `"transport": "cookie"` the tokens are in cookies alone. A page on another host than ours
         *     cannot read those, so the answer repeats the CSRF token.
         */
        TokenPair: {
            /**
             * Access Token
             * @description absent with `transport: cookie`
             */
            access_token?: string;
            /**
             * Token Type
             * @default Bearer
             * @constant
             */
            token_type?: "Bearer";
            /** Expires In */
            expires_in: number;
            /**
             * Refresh Token
             * @description absent with `transport: cookie`
             */
            refresh_token?: string;
            /** Refresh Expires In */
            refresh_expires_in: number;
            user: components["schemas"]["UserResponse"];
            /** Login At */
            login_at: number;
            /**
             * Csrf
             * @description for `X-CSRF-Token`; absent without `transport: cookie`
             * @default null
             */
            csrf?: string | null;
            /**
             * Device
             * @description keep the newest, and send it when this device asks for a code or signs in: it has limits of its own then; absent with `transport: cookie`
             */
            device?: string;
        };
        /**
         * TotpBody
         * @description The name of a new authenticator.
         */
        TotpBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Mfa Ticket
             * @description that of the 403 `mfa_enrolment_required`, in place of a session
             * @default null
             */
            mfa_ticket?: string | null;
            /**
             * Name
             * @default null
             */
            name?: string | null;
            /**
             * Otp
             * @description with `mfa_ticket`: the code that was sent, if there was a `channel`
             * @default null
             */
            otp?: string | null;
        };
        /**
         * TotpResponse
         * @description An authenticator, which counts once a code confirms it within 10 minutes.
         */
        TotpResponse: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Secret
             * @description base 32, for a user who types it into an app
             */
            secret: string;
            /**
             * Otpauth Uri
             * @description the content of the QR code
             */
            otpauth_uri: string;
            /** Qr Svg */
            qr_svg: string;
        };
        /**
         * TwilioStatus
         * @description A message's new status; other fields are part of the signature.
         */
        TwilioStatus: {
            /** Messagestatus */
            MessageStatus: string;
            /** To */
            To: string;
        } & {
            [key: string]: unknown;
        };
        /**
         * UserPage
         * @description A page of users, the newest first; `next_cursor` is null on the last one.
         */
        UserPage: {
            /** Items */
            items: components["schemas"]["UserResponse"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * UserResponse
         * @description A user; null stands for a missing value.
         */
        UserResponse: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Username */
            username: string | null;
            /** Name */
            name: string;
            /** First Name */
            first_name: string | null;
            /** Last Name */
            last_name: string | null;
            /** Email */
            email: string | null;
            /** Email Verified */
            email_verified: boolean;
            /** Phone Number */
            phone_number: string | null;
            /** Phone Verified */
            phone_verified: boolean;
            /** Roles */
            roles: string[];
            /**
             * Status
             * @enum {string}
             */
            status: "pending" | "active" | "disabled";
            /** Last Login At */
            last_login_at: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Version */
            version: number;
            /** Locale */
            locale: string | null;
        };
        /**
         * VerifyBody
         * @description The activation code, and the address that it was sent to.
         */
        VerifyBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Otp
             * @description the code received, six digits
             */
            otp: string;
            /**
             * Challenge
             * @description `challenge` of the `/register` or `/resend-otp` that sent this code; without it a resent code drops password, username and names
             * @default null
             */
            challenge?: string | null;
            /**
             * Transport
             * @description `cookie`: for browsers, as four cookies
             * @default body
             * @enum {string}
             */
            transport?: "body" | "cookie";
            /**
             * Mobile
             * @description E.164, or national at home
             * @default null
             */
            mobile?: string | null;
            /**
             * Phone Number
             * @description the same as `mobile`
             * @default null
             */
            phone_number?: string | null;
            /**
             * Email
             * @description one mail address
             * @default null
             */
            email?: string | null;
        };
        /**
         * VerifyContactBody
         * @description The code that was sent to the new address.
         */
        VerifyContactBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Otp
             * @description the code received, six digits
             */
            otp: string;
            /**
             * Challenge
             * @description `challenge` of the 202, so that only its code counts
             * @default null
             */
            challenge?: string | null;
            /**
             * Mobile
             * @description E.164, or national at home
             * @default null
             */
            mobile?: string | null;
            /**
             * Phone Number
             * @description the same as `mobile`
             * @default null
             */
            phone_number?: string | null;
            /**
             * Email
             * @description one mail address
             * @default null
             */
            email?: string | null;
        };
        /**
         * VerifyMfaBody
         * @description The ticket of a sign-in, and a proof of a second factor.
         */
        VerifyMfaBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Transport
             * @description `cookie`: for browsers, as four cookies
             * @default body
             * @enum {string}
             */
            transport?: "body" | "cookie";
            /**
             * Mfa Ticket
             * @description that of the 403 `mfa_required`
             */
            mfa_ticket: string;
            /**
             * Method
             * @enum {string}
             */
            method: "totp" | "passkey" | "recovery_code";
            /**
             * Otp
             * @description with `totp`: the code that the app shows
             * @default null
             */
            otp?: string | null;
            /**
             * Recovery Code
             * @description with `recovery_code`: one of ten
             * @default null
             */
            recovery_code?: string | null;
            /**
             * Credential
             * @description with `passkey`: the response to the options of /mfa/passkey-options
             * @default null
             */
            credential?: {
                [key: string]: unknown;
            } | null;
            /**
             * Challenge
             * @description with `passkey`: that of the options
             * @default null
             */
            challenge?: string | null;
            /**
             * Remember Device
             * @description sign-ins on this device need no factor for `MFA_REMEMBER_DAYS`; step-up does
             * @default false
             */
            remember_device?: boolean;
        };
        /**
         * VerifyResetBody
         * @description The code, and the account whose password is to be replaced.
         */
        VerifyResetBody: {
            /**
             * Device
             * @description the device token of an earlier sign-in: a known device has limits of its own
             * @default null
             */
            device?: string | null;
            /**
             * Otp
             * @description the code received, six digits
             */
            otp: string;
            /**
             * Challenge
             * @description `challenge` of the 202, so that only its code counts
             * @default null
             */
            challenge?: string | null;
            /**
             * Mobile
             * @description E.164, or national at home
             * @default null
             */
            mobile?: string | null;
            /**
             * Phone Number
             * @description the same as `mobile`
             * @default null
             */
            phone_number?: string | null;
            /**
             * Email
             * @description one mail address
             * @default null
             */
            email?: string | null;
            /**
             * Username
             * @default null
             */
            username?: string | null;
        };
        /**
         * WebhookBody
         * @description A new endpoint.
         */
        WebhookBody: {
            /**
             * Url
             * @description a receiver on the public internet, https; a redirect is not followed
             */
            url: string;
            /**
             * Events
             * @description types of events, or `["*"]` for all
             */
            events: ("user.created" | "user.updated" | "user.deleted" | "session.created" | "session.revoked" | "password.changed" | "contact.changed" | "factor.added" | "factor.removed" | "message.dead" | "*")[];
            /**
             * Description
             * @default
             */
            description?: string;
        };
        /**
         * WebhookChange
         * @description The fields to change, at least one.
         */
        WebhookChange: {
            /**
             * Url
             * @default null
             */
            url?: string | null;
            /**
             * Events
             * @default null
             */
            events?: ("user.created" | "user.updated" | "user.deleted" | "session.created" | "session.revoked" | "password.changed" | "contact.changed" | "factor.added" | "factor.removed" | "message.dead" | "*")[] | null;
            /**
             * Description
             * @default null
             */
            description?: string | null;
            /**
             * Status
             * @default null
             */
            status?: ("enabled" | "disabled") | null;
        };
        /**
         * WebhookCreatedResponse
         * @description A new endpoint with its secret.
         */
        WebhookCreatedResponse: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Url */
            url: string;
            /** Events */
            events: string[];
            /** Description */
            description: string;
            /**
             * Status
             * @enum {string}
             */
            status: "enabled" | "disabled";
            /**
             * Failing Since
             * @description since when it has accepted no event; null once it accepts one, is enabled again or gets another `url`
             */
            failing_since: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Secret
             * @description `whsec_…`, signs webhooks (Standard Webhooks); shown here only
             */
            secret: string;
        };
        /**
         * WebhookPage
         * @description One page of endpoints, the newest first; `next_cursor` is null on the last one.
         */
        WebhookPage: {
            /** Items */
            items: components["schemas"]["WebhookResponse"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * WebhookResponse
         * @description An endpoint; a `disabled` one gets tests alone.
         *
         *     One that answers 410, or accepts nothing for `WEBHOOK_DISABLE_AFTER` (5 days), is disabled.
         */
        WebhookResponse: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Url */
            url: string;
            /** Events */
            events: string[];
            /** Description */
            description: string;
            /**
             * Status
             * @enum {string}
             */
            status: "enabled" | "disabled";
            /**
             * Failing Since
             * @description since when it has accepted no event; null once it accepts one, is enabled again or gets another `url`
             */
            failing_since: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type Activation = components['schemas']['Activation'];
export type AttemptResponse = components['schemas']['AttemptResponse'];
export type ChallengeResponse = components['schemas']['ChallengeResponse'];
export type ChangeBody = components['schemas']['ChangeBody'];
export type ConfirmBody = components['schemas']['ConfirmBody'];
export type ConfirmationResponse = components['schemas']['ConfirmationResponse'];
export type ConfirmedFactorResponse = components['schemas']['ConfirmedFactorResponse'];
export type DeadLetterPage = components['schemas']['DeadLetterPage'];
export type DeadLetterResponse = components['schemas']['DeadLetterResponse'];
export type DeliveryPage = components['schemas']['DeliveryPage'];
export type DeliveryResponse = components['schemas']['DeliveryResponse'];
export type EnrolledTokenPair = components['schemas']['EnrolledTokenPair'];
export type EventPage = components['schemas']['EventPage'];
export type EventResponse = components['schemas']['EventResponse'];
export type Export = components['schemas']['Export'];
export type ExportedSession = components['schemas']['ExportedSession'];
export type ExportedToken = components['schemas']['ExportedToken'];
export type FactorResponse = components['schemas']['FactorResponse'];
export type FactorsResponse = components['schemas']['FactorsResponse'];
export type FieldProblem = components['schemas']['FieldProblem'];
export type ForgotBody = components['schemas']['ForgotBody'];
export type FreshToken = components['schemas']['FreshToken'];
export type InboxMessage = components['schemas']['InboxMessage'];
export type InboxResponse = components['schemas']['InboxResponse'];
export type KeySet = components['schemas']['KeySet'];
export type LoginBody = components['schemas']['LoginBody'];
export type LogoutAllBody = components['schemas']['LogoutAllBody'];
export type LogoutBody = components['schemas']['LogoutBody'];
export type MeResponse = components['schemas']['MeResponse'];
export type MfaPasskeyOptionsBody = components['schemas']['MfaPasskeyOptionsBody'];
export type PasskeyBody = components['schemas']['PasskeyBody'];
export type PasskeyLoginBody = components['schemas']['PasskeyLoginBody'];
export type PasskeyLoginOptionsBody = components['schemas']['PasskeyLoginOptionsBody'];
export type PasskeyOptionsBody = components['schemas']['PasskeyOptionsBody'];
export type PasskeyOptionsResponse = components['schemas']['PasskeyOptionsResponse'];
export type PasswordStored = components['schemas']['PasswordStored'];
export type Problem = components['schemas']['Problem'];
export type ProfileBody = components['schemas']['ProfileBody'];
export type QueuedResponse = components['schemas']['QueuedResponse'];
export type RecoveryCodesResponse = components['schemas']['RecoveryCodesResponse'];
export type RedeliveryBody = components['schemas']['RedeliveryBody'];
export type RefreshBody = components['schemas']['RefreshBody'];
export type RegisterBody = components['schemas']['RegisterBody'];
export type Registered = components['schemas']['Registered'];
export type RememberedDeviceResponse = components['schemas']['RememberedDeviceResponse'];
export type RenameBody = components['schemas']['RenameBody'];
export type ResendBody = components['schemas']['ResendBody'];
export type ResetBody = components['schemas']['ResetBody'];
export type ResetFactorsBody = components['schemas']['ResetFactorsBody'];
export type ResetTicketResponse = components['schemas']['ResetTicketResponse'];
export type RolesBody = components['schemas']['RolesBody'];
export type SecretResponse = components['schemas']['SecretResponse'];
export type SessionPage = components['schemas']['SessionPage'];
export type SessionResponse = components['schemas']['SessionResponse'];
export type SignupBody = components['schemas']['SignupBody'];
export type StepUpBody = components['schemas']['StepUpBody'];
export type SubscriberList = components['schemas']['SubscriberList'];
export type SubscriberResponse = components['schemas']['SubscriberResponse'];
export type TokenPair = components['schemas']['TokenPair'];
export type TotpBody = components['schemas']['TotpBody'];
export type TotpResponse = components['schemas']['TotpResponse'];
export type TwilioStatus = components['schemas']['TwilioStatus'];
export type UserPage = components['schemas']['UserPage'];
export type UserResponse = components['schemas']['UserResponse'];
export type VerifyBody = components['schemas']['VerifyBody'];
export type VerifyContactBody = components['schemas']['VerifyContactBody'];
export type VerifyMfaBody = components['schemas']['VerifyMfaBody'];
export type VerifyResetBody = components['schemas']['VerifyResetBody'];
export type WebhookBody = components['schemas']['WebhookBody'];
export type WebhookChange = components['schemas']['WebhookChange'];
export type WebhookCreatedResponse = components['schemas']['WebhookCreatedResponse'];
export type WebhookPage = components['schemas']['WebhookPage'];
export type WebhookResponse = components['schemas']['WebhookResponse'];
export type $defs = Record<string, never>;
export interface operations {
    signup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignupBody"];
            };
        };
        responses: {
            /** @description A signed-in user's tokens. `expires_in`, `refresh_expires_in`: seconds; `login_at`: Unix. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            /** @description Created: A signed-in user's tokens. `expires_in`, `refresh_expires_in`: seconds; `login_at`: Unix. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            /** @description A code is on its way. `expires_in`, `resend_after`: seconds. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChallengeResponse"];
                };
            };
        };
    };
    register: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RegisterBody"];
            };
        };
        responses: {
            /** @description Created: A registration waits for the code that is on its way. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Registered"];
                };
            };
            /** @description A code is on its way. `expires_in`, `resend_after`: seconds. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChallengeResponse"];
                };
            };
        };
    };
    resend_otp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResendBody"];
            };
        };
        responses: {
            /** @description A code is on its way. `expires_in`, `resend_after`: seconds. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChallengeResponse"];
                };
            };
        };
    };
    verify_otp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyBody"];
            };
        };
        responses: {
            /** @description The tokens of an account that has just been activated. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Activation"];
                };
            };
        };
    };
    login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginBody"];
            };
        };
        responses: {
            /** @description A signed-in user's tokens. `expires_in`, `refresh_expires_in`: seconds; `login_at`: Unix. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            /** @description A code is on its way. `expires_in`, `resend_after`: seconds. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChallengeResponse"];
                };
            };
        };
    };
    forgot_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ForgotBody"];
            };
        };
        responses: {
            /** @description A code is on its way. `expires_in`, `resend_after`: seconds. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChallengeResponse"];
                };
            };
        };
    };
    verify_reset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyResetBody"];
            };
        };
        responses: {
            /** @description A ticket that sets a password, once, within `expires_in` seconds. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResetTicketResponse"];
                };
            };
        };
    };
    reset_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResetBody"];
            };
        };
        responses: {
            /** @description The new password is valid from now on. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasswordStored"];
                };
            };
        };
    };
    change_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeBody"];
            };
        };
        responses: {
            /** @description The new password is valid from now on. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasswordStored"];
                };
            };
        };
    };
    refresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RefreshBody"];
            };
        };
        responses: {
            /** @description A signed-in user's tokens. `expires_in`, `refresh_expires_in`: seconds; `login_at`: Unix. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["LogoutBody"];
            };
        };
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    logout_all: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["LogoutAllBody"];
            };
        };
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    list_sessions: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of sessions, the newest first; `next_cursor` is null on the last one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionPage"];
                };
            };
        };
    };
    delete_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    step_up: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["StepUpBody"];
            };
        };
        responses: {
            /** @description An access token of the same session, with a fresh `auth_time`; `expires_in`: seconds. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FreshToken"];
                };
            };
            /** @description A code is on its way. `expires_in`, `resend_after`: seconds. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChallengeResponse"];
                };
            };
        };
    };
    verify_mfa: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyMfaBody"];
            };
        };
        responses: {
            /** @description A signed-in user's tokens. `expires_in`, `refresh_expires_in`: seconds; `login_at`: Unix. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
        };
    };
    list_factors: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller's second factors, the number of recovery codes left, and remembered devices. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FactorsResponse"];
                };
            };
        };
    };
    add_totp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["TotpBody"];
            };
        };
        responses: {
            /** @description Created: An authenticator, which counts once a code confirms it within 10 minutes. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TotpResponse"];
                };
            };
        };
    };
    confirm_totp: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmBody"];
            };
        };
        responses: {
            /** @description The factor; with a ticket, the tokens of the sign-in and the factor beside them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfirmationResponse"];
                };
            };
        };
    };
    replace_recovery_codes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Recovery codes, shown this once; older ones are invalid. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodesResponse"];
                };
            };
        };
    };
    remove_factor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    rename_factor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RenameBody"];
            };
        };
        responses: {
            /** @description A second factor. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FactorResponse"];
                };
            };
        };
    };
    forget_devices: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    forget_device: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    begin_passkey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PasskeyOptionsBody"];
            };
        };
        responses: {
            /** @description Options for a browser or an app, and their challenge, which counts for 5 minutes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyOptionsResponse"];
                };
            };
        };
    };
    add_passkey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyBody"];
            };
        };
        responses: {
            /** @description Created: The factor; with a ticket, the tokens of the sign-in and the factor beside them. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfirmationResponse"];
                };
            };
        };
    };
    ask_for_passkey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MfaPasskeyOptionsBody"];
            };
        };
        responses: {
            /** @description Options for a browser or an app, and their challenge, which counts for 5 minutes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyOptionsResponse"];
                };
            };
        };
    };
    ask_for_any_passkey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PasskeyLoginOptionsBody"];
            };
        };
        responses: {
            /** @description Options for a browser or an app, and their challenge, which counts for 5 minutes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyOptionsResponse"];
                };
            };
        };
    };
    sign_in_by_passkey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyLoginBody"];
            };
        };
        responses: {
            /** @description A signed-in user's tokens. `expires_in`, `refresh_expires_in`: seconds; `login_at`: Unix. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
        };
    };
    get_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The signed-in user. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MeResponse"];
                };
            };
        };
    };
    delete_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    change_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProfileBody"];
            };
        };
        responses: {
            /** @description A user; null stands for a missing value. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserResponse"];
                };
            };
            /** @description A code is on its way. `expires_in`, `resend_after`: seconds. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChallengeResponse"];
                };
            };
        };
    };
    verify_contact: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyContactBody"];
            };
        };
        responses: {
            /** @description A user; null stands for a missing value. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserResponse"];
                };
            };
        };
    };
    export_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Everything that is stored about a user. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Export"];
                };
            };
        };
    };
    get_keys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A JWK set (RFC 7517 §5): current and next keys, and those with unexpired tokens. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeySet"];
                };
            };
        };
    };
    show_reset_page: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page in the browser's language */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": unknown;
                };
            };
        };
    };
    show_activation_page: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page in the browser's language */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": unknown;
                };
            };
        };
    };
    receive_status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": components["schemas"]["TwilioStatus"];
            };
        };
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    list_users: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                q?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of users, the newest first; `next_cursor` is null on the last one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserPage"];
                };
            };
        };
    };
    get_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A user; null stands for a missing value. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserResponse"];
                };
            };
        };
    };
    disable_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A user; null stands for a missing value. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserResponse"];
                };
            };
        };
    };
    enable_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A user; null stands for a missing value. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserResponse"];
                };
            };
        };
    };
    revoke_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    set_roles: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RolesBody"];
            };
        };
        responses: {
            /** @description A user; null stands for a missing value. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserResponse"];
                };
            };
        };
    };
    reset_factors: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResetFactorsBody"];
            };
        };
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    list_dead_letters: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of dead letters, the newest first; `next_cursor` is null on the last one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetterPage"];
                };
            };
        };
    };
    retry_delivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    delete_delivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    list_subscribers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The processes that were heard within the last minute, in the order of their names. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriberList"];
                };
            };
        };
    };
    list_events: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                user_id?: string | null;
                event?: string | null;
                from?: string | null;
                to?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of events, the newest first; `next_cursor` is null on the last one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPage"];
                };
            };
        };
    };
    list_webhooks: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of endpoints, the newest first; `next_cursor` is null on the last one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookPage"];
                };
            };
        };
    };
    create_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WebhookBody"];
            };
        };
        responses: {
            /** @description Created: A new endpoint with its secret. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookCreatedResponse"];
                };
            };
        };
    };
    get_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An endpoint; a `disabled` one gets tests alone. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookResponse"];
                };
            };
        };
    };
    delete_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done; no body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    patch_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WebhookChange"];
            };
        };
        responses: {
            /** @description An endpoint; a `disabled` one gets tests alone. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookResponse"];
                };
            };
        };
    };
    rotate_secret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A new secret; the one before signs too for 24 hours. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecretResponse"];
                };
            };
        };
    };
    test_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The id of the queued delivery. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuedResponse"];
                };
            };
        };
    };
    list_deliveries: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                status?: ("pending" | "delivered" | "failed" | "dead") | null;
                event?: ("user.created" | "user.updated" | "user.deleted" | "session.created" | "session.revoked" | "password.changed" | "contact.changed" | "factor.added" | "factor.removed" | "message.dead") | "webhook.test" | null;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of deliveries, the newest first; `next_cursor` is null on the last one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryPage"];
                };
            };
        };
    };
    redeliver: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                did: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No body */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    redeliver_failed: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RedeliveryBody"];
            };
        };
        responses: {
            /** @description No body */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_inbox: {
        parameters: {
            query: {
                to: string;
                wait?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Messages to one destination, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InboxResponse"];
                };
            };
        };
    };
}
