// A link's page sends itself; a preview, which runs no scripts, does not use the link up.
document.querySelector("form[data-send-at-once]").submit();
