// Remembered before the console's first page, so that it comes in the right colours.
document.cookie = `kohakku-system=${matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"}; path=/; max-age=31536000; samesite=lax`;
// A link's page sends itself; a preview, which runs no scripts, does not use the link up.
document.querySelector("form[data-send-at-once]").submit();
