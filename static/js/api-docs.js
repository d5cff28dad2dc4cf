// Shows the API's own description of itself with Swagger.
"use strict";

const page = document.getElementById("swagger-ui");
SwaggerUIBundle({
  url: page.dataset.description,
  domNode: page,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
