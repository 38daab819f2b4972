import { basketPage } from "./basketPage";

export async function show(path: string): Promise<string> {
  return path === "/basket" ? basketPage() : "<main><h1>Tidewater Books</h1></main>";
}
