// An app in strict TypeScript; `tools/check.js` compiles it against the packed client.

import { Cheershare, CheershareError, memoryStorage } from "@cheershare/client";

const api = new Cheershare({ baseUrl: "https://api.shop.example", storage: memoryStorage() });

export async function run(file: File): Promise<string | null> {
    const user = await api.auth.verifySignUp({ phone_number: "+919876543210", otp: "123456" });
    const { id, version } = await api.creatives.upload(file, { scheduled_at: "2026-12-24" });
    await api.creatives.change({ id, version }, { status: "cancelled" });
    const { items } = await api.webhooks.list({ limit: 10 });
    const events: string[] = items.flatMap((webhook) => webhook.events);
    // @ts-expect-error a creative is cancelled, not published, by its user
    await api.creatives.change({ id, version }, { status: "published" });
    // @ts-expect-error a price is an integer
    await api.products.create({ name: "Mug", price: "499", currency: "INR" });
    return user.phone_number ?? events[0] ?? null;
}

export function explain(error: unknown): string {
    if (!(error instanceof CheershareError)) throw error;
    const seconds: number | undefined = error.retryAfter;
    return error.fields.email?.message ?? `${error.code} ${seconds}`;
}
