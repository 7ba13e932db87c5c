// Generated from docs/openapi/media.json by `npm run generate`.

export interface paths {
    "/v1/media/creatives": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List own creatives by due time; an editor may list those of all users */
        get: operations["list_creatives"];
        put?: never;
        /** Upload an image for a day */
        post: operations["create_creative"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/media/timezones": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The time zones that are taken, and the version of their data */
        get: operations["list_timezones"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/media/creatives/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One creative; its ETag is its version */
        get: operations["get_creative"];
        put?: never;
        post?: never;
        /** Delete a creative; with If-Match, only the version that it names */
        delete: operations["delete_creative"];
        options?: never;
        head?: never;
        /** Reschedule, rename or cancel the version that If-Match names */
        patch: operations["patch_creative"];
        trace?: never;
    };
    "/v1/media/creatives/{id}/file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A creative's file; conditional and partial requests are answered */
        get: operations["get_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        /** A creative's file without its bytes */
        head: operations["head_file"];
        patch?: never;
        trace?: never;
    };
    "/v1/media/creatives/{id}/link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A link to a creative's file that needs no sign-in until it expires */
        post: operations["create_link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/media/scheduled": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The creatives that fall due today and tomorrow in a time zone */
        get: operations["get_scheduled"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/media/products": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List own products, the newest first */
        get: operations["list_products"];
        put?: never;
        /** Offer a product, with a photo or without */
        post: operations["create_product"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/media/products/public": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Search the visible products of all users, the newest first; needs no sign-in */
        get: operations["search_products"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/media/products/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A visible product, or one's own; its ETag is its version */
        get: operations["get_product"];
        put?: never;
        post?: never;
        /** Delete a product and its photo; with If-Match, only the version that it names */
        delete: operations["delete_product"];
        options?: never;
        head?: never;
        /** Change a product; with If-Match, only the version that it names */
        patch: operations["patch_product"];
        trace?: never;
    };
    "/v1/media/products/{id}/photo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A product's photo; a visible product's needs no sign-in */
        get: operations["get_photo"];
        /** Give a product its photo, or another one */
        put: operations["put_photo"];
        post?: never;
        delete?: never;
        options?: never;
        /** A product's photo without its bytes */
        head: operations["head_photo"];
        patch?: never;
        trace?: never;
    };
    "/v1/media/webhooks": {
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
    "/v1/media/webhooks/{id}": {
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
    "/v1/media/webhooks/{id}/rotate-secret": {
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
    "/v1/media/webhooks/{id}/test": {
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
    "/v1/media/webhooks/{id}/deliveries": {
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
    "/v1/media/webhooks/{id}/deliveries/{did}/redeliver": {
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
    "/v1/media/webhooks/{id}/redeliver": {
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
    "/v1/media/feed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether there is a feed, and when it was last read */
        get: operations["get_feed"];
        put?: never;
        /** Get an address at which calendar programs read one's creatives; the one before ends */
        post: operations["create_feed"];
        /** End one's feed */
        delete: operations["delete_feed"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/media/feed/{token}.ics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The calendar; its address is the key, and its ETag changes with what it shows */
        get: operations["read_feed"];
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
         * CreativeChange
         * @description The fields to change, at least one.
         *
         *     A day or a local time is one of `timezone`, by default of the creative's own. Another `timezone`
         *     alone does not move the instant. A null title removes the title.
         */
        CreativeChange: {
            /**
             * Scheduled At
             * @description a day, a time with offset, or `now`; a time without offset is local time in `timezone`: where clocks show it twice the first one, where they jump over it the jump
             * @default
             */
            scheduled_at?: string;
            /**
             * Timezone
             * @description an IANA zone name
             * @default
             */
            timezone?: string;
            /**
             * Title
             * @default null
             */
            title?: string | null;
            /**
             * Status
             * @default null
             */
            status?: "cancelled" | null;
        };
        /**
         * CreativePage
         * @description One page of creatives, by due time; `next_cursor` is null on the last one.
         */
        CreativePage: {
            /** Items */
            items: components["schemas"]["CreativeResponse"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * CreativeResponse
         * @description An image and the instant at which it falls due.
         */
        CreativeResponse: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Title */
            title: string | null;
            /** Content Type */
            content_type: string;
            /** Bytes */
            bytes: number;
            /** Width */
            width: number;
            /** Height */
            height: number;
            /** Sha256 */
            sha256: string;
            /** Placeholder */
            placeholder: string | null;
            /**
             * Scheduled At
             * Format: date-time
             */
            scheduled_at: string;
            /** Timezone */
            timezone: string;
            status: components["schemas"]["Status"];
            /**
             * Published At
             * @description null until it is published, and if it fell due before there was a publisher
             */
            published_at: string | null;
            /** Variants */
            variants: string[];
            /** File Url */
            file_url: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
            /** Version */
            version: number;
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
         * FeedAddressResponse
         * @description The address of a feed; shown here only.
         */
        FeedAddressResponse: {
            /**
             * Url
             * @description for calendar programs; it needs no sign-in, so keep it secret
             */
            url: string;
        };
        /**
         * FeedResponse
         * @description One's own feed.
         */
        FeedResponse: {
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Last Read At
             * @description to the minute; null before the first time
             */
            last_read_at: string | null;
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
         * LinkRequest
         * @description A request for a link: which file its bearers may read, and for how long.
         */
        LinkRequest: {
            /**
             * Expires In
             * @description seconds; at most 7 days
             */
            expires_in: number;
            /**
             * Variant
             * @default original
             * @enum {string}
             */
            variant?: "original" | "preview" | "thumb";
        };
        /**
         * LinkResponse
         * @description A path with a query that needs no sign-in until it expires.
         */
        LinkResponse: {
            /** Url */
            url: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
        };
        /**
         * PhotoForm
         * @description A photo alone.
         */
        PhotoForm: {
            /**
             * Photo
             * Format: binary
             */
            photo: string;
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
         * ProductBody
         * @description A product without a photo.
         */
        ProductBody: {
            /** Name */
            name: string;
            /**
             * Description
             * @default
             */
            description?: string;
            /**
             * Price
             * @description in the currency's smallest unit: 49900 is ₹499.00
             */
            price: number;
            /**
             * Currency
             * @description ISO 4217, as `INR`, in any case
             */
            currency: string;
            /**
             * Visibility
             * @default public
             * @enum {string}
             */
            visibility?: "public" | "hidden";
        };
        /**
         * ProductChange
         * @description The fields to change, at least one.
         */
        ProductChange: {
            /**
             * Name
             * @default null
             */
            name?: string | null;
            /**
             * Description
             * @default null
             */
            description?: string | null;
            /**
             * Price
             * @default null
             */
            price?: number | null;
            /**
             * Currency
             * @default null
             */
            currency?: string | null;
            /**
             * Visibility
             * @default null
             */
            visibility?: ("public" | "hidden") | null;
        };
        /**
         * ProductForm
         * @description A product, perhaps with a photo; the parts come in any order.
         */
        ProductForm: {
            /** Name */
            name: string;
            /**
             * Description
             * @default
             */
            description?: string;
            /**
             * Price
             * @description in the currency's smallest unit: 49900 is ₹499.00
             */
            price: number;
            /**
             * Currency
             * @description ISO 4217, as `INR`, in any case
             */
            currency: string;
            /**
             * Visibility
             * @default public
             * @enum {string}
             */
            visibility?: "public" | "hidden";
            /**
             * Photo
             * @default null
             */
            photo?: string | null;
        };
        /**
         * ProductPage
         * @description One page of products, the newest first; `next_cursor` is null on the last one.
         */
        ProductPage: {
            /** Items */
            items: components["schemas"]["ProductResponse"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * ProductResponse
         * @description A product; `price` is in the currency's smallest unit.
         */
        ProductResponse: {
            /** Id */
            id: string;
            /**
             * User Id
             * Format: uuid
             */
            user_id: string;
            /** Name */
            name: string;
            /** Description */
            description: string;
            /** Price */
            price: number;
            /** Currency */
            currency: string;
            /**
             * Visibility
             * @enum {string}
             */
            visibility: "public" | "hidden";
            /** Photo Url */
            photo_url: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
            /** Version */
            version: number;
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
         * ScheduleResponse
         * @description Creatives that fall due today and tomorrow, scheduled or published.
         */
        ScheduleResponse: {
            scheduled_creatives: components["schemas"]["ScheduledCreatives"];
        };
        /**
         * ScheduledCreatives
         * @description Creatives by day, each day's by due time.
         */
        ScheduledCreatives: {
            /** Today */
            today: components["schemas"]["CreativeResponse"][];
            /** Tomorrow */
            tomorrow: components["schemas"]["CreativeResponse"][];
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
         * Status
         * @description The states of a creative.
         * @enum {string}
         */
        Status: "scheduled" | "published" | "failed" | "cancelled";
        /**
         * TimezonesResponse
         * @description Every time zone that is taken; `version`: of the IANA data that all replicas use.
         */
        TimezonesResponse: {
            /** Version */
            version: string;
            /** Timezones */
            timezones: string[];
        };
        /**
         * UploadForm
         * @description A picture and when it is to go out; the parts come in any order.
         */
        UploadForm: {
            /**
             * File
             * Format: binary
             * @description the image; its name is only shown, its declared type is not looked at
             */
            file: string;
            /**
             * Scheduled At
             * @description a day, a time with offset, or `now`; a time without offset is local time in `timezone`: where clocks show it twice the first one, where they jump over it the jump
             */
            scheduled_at: string;
            /**
             * Timezone
             * @description IANA zone name
             * @default UTC
             */
            timezone?: string;
            /**
             * Title
             * @default null
             */
            title?: string | null;
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
            events: ("creative.created" | "creative.updated" | "creative.cancelled" | "creative.due" | "creative.failed" | "product.created" | "product.updated" | "product.deleted" | "*")[];
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
            events?: ("creative.created" | "creative.updated" | "creative.cancelled" | "creative.due" | "creative.failed" | "product.created" | "product.updated" | "product.deleted" | "*")[] | null;
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
export type AttemptResponse = components['schemas']['AttemptResponse'];
export type CreativeChange = components['schemas']['CreativeChange'];
export type CreativePage = components['schemas']['CreativePage'];
export type CreativeResponse = components['schemas']['CreativeResponse'];
export type DeliveryPage = components['schemas']['DeliveryPage'];
export type DeliveryResponse = components['schemas']['DeliveryResponse'];
export type FeedAddressResponse = components['schemas']['FeedAddressResponse'];
export type FeedResponse = components['schemas']['FeedResponse'];
export type FieldProblem = components['schemas']['FieldProblem'];
export type LinkRequest = components['schemas']['LinkRequest'];
export type LinkResponse = components['schemas']['LinkResponse'];
export type PhotoForm = components['schemas']['PhotoForm'];
export type Problem = components['schemas']['Problem'];
export type ProductBody = components['schemas']['ProductBody'];
export type ProductChange = components['schemas']['ProductChange'];
export type ProductForm = components['schemas']['ProductForm'];
export type ProductPage = components['schemas']['ProductPage'];
export type ProductResponse = components['schemas']['ProductResponse'];
export type QueuedResponse = components['schemas']['QueuedResponse'];
export type RedeliveryBody = components['schemas']['RedeliveryBody'];
export type ScheduleResponse = components['schemas']['ScheduleResponse'];
export type ScheduledCreatives = components['schemas']['ScheduledCreatives'];
export type SecretResponse = components['schemas']['SecretResponse'];
export type Status = components['schemas']['Status'];
export type TimezonesResponse = components['schemas']['TimezonesResponse'];
export type UploadForm = components['schemas']['UploadForm'];
export type WebhookBody = components['schemas']['WebhookBody'];
export type WebhookChange = components['schemas']['WebhookChange'];
export type WebhookCreatedResponse = components['schemas']['WebhookCreatedResponse'];
export type WebhookPage = components['schemas']['WebhookPage'];
export type WebhookResponse = components['schemas']['WebhookResponse'];
export type $defs = Record<string, never>;
export interface operations {
    list_creatives: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                from?: string | null;
                to?: string | null;
                status?: ("scheduled" | "published" | "failed" | "cancelled") | null;
                owner?: "me" | "all";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of creatives, by due time; `next_cursor` is null on the last one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreativePage"];
                };
            };
        };
    };
    create_creative: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["UploadForm"];
            };
        };
        responses: {
            /** @description Created: An image and the instant at which it falls due. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreativeResponse"];
                };
            };
        };
    };
    list_timezones: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every time zone that is taken; `version`: of the IANA data that all replicas use. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TimezonesResponse"];
                };
            };
        };
    };
    get_creative: {
        parameters: {
            query?: {
                owner?: "me" | "all";
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An image and the instant at which it falls due. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreativeResponse"];
                };
            };
            /** @description No body */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    delete_creative: {
        parameters: {
            query?: never;
            header?: {
                "If-Match"?: string;
            };
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
    patch_creative: {
        parameters: {
            query?: never;
            header: {
                "If-Match": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreativeChange"];
            };
        };
        responses: {
            /** @description An image and the instant at which it falls due. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreativeResponse"];
                };
            };
        };
    };
    get_file: {
        parameters: {
            query?: {
                owner?: "me" | "all";
                variant?: "original" | "preview" | "thumb";
                expires?: number | null;
                signature?: string | null;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file's bytes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/*": unknown;
                };
            };
            /** @description The file's bytes */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/*": unknown;
                };
            };
            /** @description No body */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    head_file: {
        parameters: {
            query?: {
                owner?: "me" | "all";
                variant?: "original" | "preview" | "thumb";
                expires?: number | null;
                signature?: string | null;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No body */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No body */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    create_link: {
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
                "application/json": components["schemas"]["LinkRequest"];
            };
        };
        responses: {
            /** @description A path with a query that needs no sign-in until it expires. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkResponse"];
                };
            };
        };
    };
    get_scheduled: {
        parameters: {
            query?: {
                timezone?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Creatives that fall due today and tomorrow, scheduled or published. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleResponse"];
                };
            };
        };
    };
    list_products: {
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
            /** @description One page of products, the newest first; `next_cursor` is null on the last one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductPage"];
                };
            };
        };
    };
    create_product: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["ProductForm"];
                "application/json": components["schemas"]["ProductBody"];
            };
        };
        responses: {
            /** @description Created: A product; `price` is in the currency's smallest unit. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductResponse"];
                };
            };
        };
    };
    search_products: {
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
            /** @description One page of products, the newest first; `next_cursor` is null on the last one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductPage"];
                };
            };
        };
    };
    get_product: {
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
            /** @description A product; `price` is in the currency's smallest unit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductResponse"];
                };
            };
            /** @description No body */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    delete_product: {
        parameters: {
            query?: never;
            header?: {
                "If-Match"?: string;
            };
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
    patch_product: {
        parameters: {
            query?: never;
            header?: {
                "If-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProductChange"];
            };
        };
        responses: {
            /** @description A product; `price` is in the currency's smallest unit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductResponse"];
                };
            };
        };
    };
    get_photo: {
        parameters: {
            query?: {
                variant?: "original" | "preview" | "thumb";
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file's bytes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/*": unknown;
                };
            };
            /** @description The file's bytes */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/*": unknown;
                };
            };
            /** @description No body */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    put_photo: {
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
                "multipart/form-data": components["schemas"]["PhotoForm"];
            };
        };
        responses: {
            /** @description A product; `price` is in the currency's smallest unit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductResponse"];
                };
            };
        };
    };
    head_photo: {
        parameters: {
            query?: {
                variant?: "original" | "preview" | "thumb";
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No body */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No body */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
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
                event?: ("creative.created" | "creative.updated" | "creative.cancelled" | "creative.due" | "creative.failed" | "product.created" | "product.updated" | "product.deleted") | "webhook.test" | null;
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
    get_feed: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One's own feed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FeedResponse"];
                };
            };
        };
    };
    create_feed: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Created: The address of a feed; shown here only. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FeedAddressResponse"];
                };
            };
        };
    };
    delete_feed: {
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
    read_feed: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                "token}.ic": string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The next 400 and the last 100 creatives (RFC 5545) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/calendar": unknown;
                };
            };
            /** @description No body */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
}
