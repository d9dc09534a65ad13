import { type FormatRule, token } from "./rule.ts";

// Providers of language models and what agents are built from. secretlint has Anthropic, OpenAI, Groq and Hugging Face.

const HEX = "[a-f0-9]";
const ALNUM = "[A-Za-z0-9]";
const WORD = "[\\w-]";

export const LANGUAGE_MODEL_RULES: readonly FormatRule[] = [
  token(
    "anthropic",
    "a key of Anthropic",
    "sk-ant-",
    `sk-ant-(?:api|admin|oat|ort|sid)\\d{2}-${WORD}{80,120}AA`,
  ),
  token("openai", "a key of OpenAI", "T3BlbkFJ", `sk-(?:[a-z]+-)?${WORD}{20,90}T3BlbkFJ${WORD}{20,90}`),
  token(
    "openai",
    "a key of OpenAI",
    ["sk-proj-", "sk-svcacct-", "sk-admin-"],
    `sk-(?:proj|svcacct|admin)-${WORD}{40,200}`,
  ),
  token("openrouter", "a key of OpenRouter", "sk-or-v1-", `sk-or-v1-${HEX}{64}`),
  token("google-ai", "a key of a Google API", "AIza", `AIza${WORD}{35}`),
  token("deepseek", "a key of DeepSeek or another model's provider", "sk-", `sk-(?:${HEX}{32}|${ALNUM}{48})`),
  token("perplexity", "a key of Perplexity", "pplx-", `pplx-${ALNUM}{40,64}`),
  token("xai", "a key of xAI", "xai-", `xai-${ALNUM}{70,90}`),
  token("replicate", "a token of Replicate", "r8_", `r8_${ALNUM}{37}`),
  token("fireworks", "a key of Fireworks", "fw_", `fw_${ALNUM}{22,24}`),
  token("together", "a key of Together", ["tgp_v1_"], `tgp_v1_${WORD}{43}`),
  token("cerebras", "a key of Cerebras", "csk-", `csk-${ALNUM}{48}`),
  token("nvidia", "a key of NVIDIA", "nvapi-", `nvapi-${WORD}{60,72}`),
  token("langsmith", "a key of LangSmith", "lsv2_", `lsv2_(?:pt|sk)_${HEX}{32}_${HEX}{10}`),
  token("langfuse", "a secret key of Langfuse", "sk-lf-", `sk-lf-${HEX}{8}-(?:${HEX}{4}-){3}${HEX}{12}`),
  token("elevenlabs", "a key of ElevenLabs", "sk_", `sk_${HEX}{48}`),
  token("voyage", "a key of Voyage AI", "pa-", `pa-${ALNUM}${WORD}{42}`),
  token("pinecone", "a key of Pinecone", "pcsk_", `pcsk_${ALNUM}{5,6}_${ALNUM}{50,70}`),
  token("tavily", "a key of Tavily", "tvly-", `tvly-(?:dev-|prod-)?${ALNUM}{32}`),
  token("firecrawl", "a key of Firecrawl", "fc-", `fc-${HEX}{32}`),
  token("jina", "a key of Jina", "jina_", `jina_${HEX}{32}${WORD}{28}`),
  token("e2b", "a key of E2B", "e2b_", `e2b_${HEX}{40}`),
  token(
    "hugging-face",
    "a token of Hugging Face",
    ["hf_", "api_org_"],
    `(?:hf_|api_org_)[A-Za-z]${ALNUM}{33}`,
  ),
  token("groq", "a key of Groq", "gsk_", `gsk_${ALNUM}{50,54}`),
];
